"""Operations of IAM, STS, KMS and Lake Formation: who may do what, and as whom."""

from __future__ import annotations

from typing import Final

from custody.core.calls.kinds import Operations, changes, gives_role, no_concern, reads

IAM: Final[Operations] = {
    **changes("role", "roleName", "UpdateAssumeRolePolicy", "trust"),
    **changes(
        "role",
        "roleName",
        """
        AddRoleToInstanceProfile AttachRolePolicy CreateRole DeleteRole
        DeleteRolePermissionsBoundary DeleteRolePolicy DetachRolePolicy
        PutRolePermissionsBoundary PutRolePolicy RemoveRoleFromInstanceProfile TagRole UntagRole
        UpdateRole
        """,
        "rights",
    ),
    **changes("user", "userName", "CreateAccessKey DeleteAccessKey UpdateAccessKey", "access keys"),
    **changes(
        "user",
        "userName",
        """
        CreateLoginProfile CreateServiceSpecificCredential DeactivateMFADevice DeleteLoginProfile
        DeleteServiceSpecificCredential EnableMFADevice ResetServiceSpecificCredential
        UpdateLoginProfile UpdateServiceSpecificCredential
        """,
        "sign-in",
    ),
    **changes(
        "user",
        "userName",
        """
        AddUserToGroup AttachUserPolicy CreateUser DeleteUser DeleteUserPermissionsBoundary
        DeleteUserPolicy DetachUserPolicy PutUserPermissionsBoundary PutUserPolicy
        RemoveUserFromGroup TagUser UntagUser UpdateUser
        """,
        "rights",
    ),
    **changes(
        "group",
        "groupName",
        """
        AttachGroupPolicy CreateGroup DeleteGroup DeleteGroupPolicy DetachGroupPolicy
        PutGroupPolicy UpdateGroup
        """,
        "rights",
    ),
    **changes(
        "policy",
        "policyArn policyName",
        """
        CreatePolicy CreatePolicyVersion DeletePolicy DeletePolicyVersion
        SetDefaultPolicyVersion TagPolicy UntagPolicy
        """,
    ),
    # Whom a provider lets in takes the roles that trust it, and no trust is changed. Which of them
    # trust it, the call does not say. Whoever deletes one can make it anew as he likes.
    **changes(
        "identity provider",
        "",
        """
        AddClientIDToOpenIDConnectProvider DeleteOpenIDConnectProvider DeleteSAMLProvider
        RemoveClientIDFromOpenIDConnectProvider UpdateOpenIDConnectProviderThumbprint
        UpdateSAMLProvider
        """,
    ),
    # What concerns the account as a whole, other people's ways to sign in, or nothing but a report.
    # A provider that is new is trusted by no role yet, and each cluster (EKS) makes one.
    **no_concern(
        """
        AcceptDelegationRequest AssociateDelegationRequest ChangePassword CreateAccountAlias
        CreateDelegationRequest CreateInstanceProfile CreateOpenIDConnectProvider CreateSAMLProvider
        CreateServiceLinkedRole CreateVirtualMFADevice DeleteAccountAlias
        DeleteAccountPasswordPolicy DeleteInstanceProfile DeleteSSHPublicKey DeleteServerCertificate
        DeleteServiceLinkedRole DeleteSigningCertificate DeleteVirtualMFADevice
        DisableOrganizationsRootCredentialsManagement DisableOrganizationsRootSessions
        DisableOutboundWebIdentityFederation EnableOrganizationsRootCredentialsManagement
        EnableOrganizationsRootSessions EnableOutboundWebIdentityFederation RejectDelegationRequest
        ResyncMFADevice SendDelegationToken SetSecurityTokenServicePreferences TagInstanceProfile
        TagMFADevice TagOpenIDConnectProvider TagSAMLProvider TagServerCertificate
        UntagInstanceProfile UntagMFADevice UntagOpenIDConnectProvider UntagSAMLProvider
        UntagServerCertificate UpdateAccountPasswordPolicy UpdateDelegationRequest
        UpdateRoleDescription UpdateSSHPublicKey UpdateServerCertificate UpdateSigningCertificate
        UploadSSHPublicKey UploadServerCertificate UploadSigningCertificate
        """
    ),
    **reads(
        """
        GenerateCredentialReport GenerateOrganizationsAccessReport
        GenerateServiceLastAccessedDetails SimulateCustomPolicy SimulatePrincipalPolicy
        """
    ),
}

# Taking a role changes nothing. Whose doing it is what the session does, the ledger asks.
STS: Final[Operations] = reads(
    """
    AssumeRole AssumeRoleWithSAML AssumeRoleWithWebIdentity AssumeRoot DecodeAuthorizationMessage
    """
)

_KEY: Final = "keyId targetKeyId"

KMS: Final[Operations] = {
    **changes("key", _KEY, "PutKeyPolicy", "policy"),
    **changes("key", _KEY, "CreateGrant RetireGrant RevokeGrant", "grants"),
    **changes(
        "key",
        _KEY,
        """
        CancelKeyDeletion DeleteImportedKeyMaterial DisableKey DisableKeyRotation EnableKey
        EnableKeyRotation ImportKeyMaterial ReplicateKey RotateKeyOnDemand ScheduleKeyDeletion
        TagResource UntagResource UpdatePrimaryRegion
        """,
        "state",
    ),
    **changes("alias", "aliasName targetKeyId", "CreateAlias DeleteAlias UpdateAlias"),
    **no_concern(
        """
        ConnectCustomKeyStore CreateCustomKeyStore CreateKey DeleteCustomKeyStore
        DisconnectCustomKeyStore UpdateCustomKeyStore UpdateKeyDescription
        """
    ),
    **reads(
        """
        Decrypt DeriveSharedSecret Encrypt GenerateDataKey GenerateDataKeyPair
        GenerateDataKeyPairWithoutPlaintext GenerateDataKeyWithoutPlaintext GenerateMac
        GenerateRandom ReEncrypt Sign Verify VerifyMac
        """
    ),
}

LAKE_FORMATION: Final[Operations] = {
    # Who may read or change the tables, beside IAM.
    **changes(
        "database",
        "databaseName name resourceArn",
        """
        BatchGrantPermissions BatchRevokePermissions CreateLakeFormationOptIn
        DeleteLakeFormationOptIn DeregisterResource GrantPermissions RegisterResource
        RevokePermissions UpdateResource
        """,
        "rights",
    ),
    **changes("lake", "", "PutDataLakeSettings", "settings"),
    **gives_role("AssumeDecoratedRoleWithSAML"),
    **no_concern(
        """
        AddLFTagsToResource CancelTransaction CommitTransaction CreateDataCellsFilter CreateLFTag
        CreateLFTagExpression CreateLakeFormationIdentityCenterConfiguration DeleteDataCellsFilter
        DeleteLFTag DeleteLFTagExpression DeleteLakeFormationIdentityCenterConfiguration
        DeleteObjectsOnCancel ExtendTransaction RemoveLFTagsFromResource StartQueryPlanning
        StartTransaction UpdateDataCellsFilter UpdateLFTag UpdateLFTagExpression
        UpdateLakeFormationIdentityCenterConfiguration UpdateTableObjects
        UpdateTableStorageOptimizer
        """
    ),
}
