"""Operations of CloudTrail, EventBridge, CloudWatch and SNS, which watch and tell; and settings."""

from __future__ import annotations

from typing import Final

from custody.core.calls.kinds import Operations, changes, gives_role, no_concern

CLOUDTRAIL: Final[Operations] = {
    **changes("trail", "name trailName", "StartLogging StopLogging", "logging"),
    **changes("trail", "name trailName", "PutEventSelectors PutInsightSelectors", "selectors"),
    **changes(
        "trail", "name trailName", "CreateTrail DeleteTrail PutEventConfiguration UpdateTrail",
        "configuration",
    ),
    **gives_role("EnableFederation StartImport"),
    # Event data stores and channels are beside the trail.
    **no_concern(
        """
        AddTags CancelQuery CreateChannel CreateDashboard CreateEventDataStore DeleteChannel
        DeleteDashboard DeleteEventDataStore DeleteResourcePolicy
        DeregisterOrganizationDelegatedAdmin DisableFederation GenerateQuery PutResourcePolicy
        RegisterOrganizationDelegatedAdmin RemoveTags RestoreEventDataStore StartDashboardRefresh
        StartEventDataStoreIngestion StartQuery StopEventDataStoreIngestion StopImport
        UpdateChannel UpdateDashboard UpdateEventDataStore
        """
    ),
}  # fmt: skip

EVENTS: Final[Operations] = {
    **changes(
        "rule",
        "name rule",
        "DeleteRule DisableRule EnableRule PutRule PutTargets RemoveTargets",
    ),
    **gives_role("CreateEndpoint UpdateEndpoint"),
    **no_concern(
        """
        ActivateEventSource CancelReplay CreateApiDestination CreateArchive CreateConnection
        CreateEventBus CreatePartnerEventSource DeactivateEventSource DeauthorizeConnection
        DeleteApiDestination DeleteArchive DeleteConnection DeleteEndpoint DeleteEventBus
        DeletePartnerEventSource PutEvents PutPartnerEvents PutPermission RemovePermission
        StartReplay TagResource TestEventPattern UntagResource UpdateApiDestination UpdateArchive
        UpdateConnection UpdateEventBus
        """
    ),
}

CLOUDWATCH: Final[Operations] = {
    **changes(
        "alarm",
        "alarmName alarmNames name alarmMuteRuleName",
        """
        DeleteAlarmMuteRule DeleteAlarms DisableAlarmActions EnableAlarmActions PutAlarmMuteRule
        PutCompositeAlarm PutLogAlarm PutMetricAlarm SetAlarmState
        """,
    ),
    **gives_role("PutMetricStream"),
    **no_concern(
        """
        AssociateDatasetKmsKey DeleteAnomalyDetector DeleteDashboards DeleteInsightRules
        DeleteMetricStream DisableInsightRules DisassociateDatasetKmsKey EnableInsightRules
        PutAnomalyDetector PutDashboard PutInsightRule PutManagedInsightRules PutMetricData
        StartMetricStreams StartOTelEnrichment StopMetricStreams StopOTelEnrichment TagResource
        UntagResource
        """
    ),
}

SNS: Final[Operations] = {
    **changes("topic", "subscriptionArn", "SetSubscriptionAttributes Unsubscribe", "subscribers"),
    **changes(
        "topic",
        "topicArn name resourceArn",
        """
        AddPermission CreateTopic DeleteTopic PutDataProtectionPolicy RemovePermission
        SetTopicAttributes
        """,
        "configuration",
    ),
    # One more who is told takes the page from nobody.
    **no_concern(
        """
        CheckIfPhoneNumberIsOptedOut ConfirmSubscription CreatePlatformApplication
        CreatePlatformEndpoint CreateSMSSandboxPhoneNumber DeleteEndpoint
        DeletePlatformApplication DeleteSMSSandboxPhoneNumber OptInPhoneNumber Publish
        PublishBatch SetEndpointAttributes SetPlatformApplicationAttributes SetSMSAttributes
        Subscribe TagResource UntagResource VerifySMSSandboxPhoneNumber
        """
    ),
}

SSM: Final[Operations] = {
    **changes(
        "parameter",
        "name names resourceArn",
        """
        DeleteParameter DeleteParameters DeleteResourcePolicy LabelParameterVersion PutParameter
        PutResourcePolicy UnlabelParameterVersion
        """,
    ),
    **gives_role(
        """
        CreateActivation CreateAssociation CreateAssociationBatch CreateCloudConnector
        RegisterTaskWithMaintenanceWindow SendCommand StartAutomationExecution
        StartChangeRequestExecution StartExecutionPreview UpdateAssociation
        UpdateMaintenanceWindowTask UpdateManagedInstanceRole
        """
    ),
    **no_concern(
        """
        AddTagsToResource AssociateOpsItemRelatedItem CancelCommand
        CancelMaintenanceWindowExecution CreateDocument CreateMaintenanceWindow CreateOpsItem
        CreateOpsMetadata CreatePatchBaseline CreateResourceDataSync DeleteActivation
        DeleteAssociation DeleteCloudConnector DeleteDocument DeleteInventory
        DeleteMaintenanceWindow DeleteOpsItem DeleteOpsMetadata DeletePatchBaseline
        DeleteResourceDataSync DeregisterManagedInstance DeregisterPatchBaselineForPatchGroup
        DeregisterTargetFromMaintenanceWindow DeregisterTaskFromMaintenanceWindow
        DisassociateOpsItemRelatedItem ModifyDocumentPermission PutComplianceItems PutInventory
        RegisterDefaultPatchBaseline RegisterPatchBaselineForPatchGroup
        RegisterTargetWithMaintenanceWindow RemoveTagsFromResource ResetServiceSetting
        ResumeSession SendAutomationSignal StartAccessRequest StartAssociationsOnce StartSession
        StopAutomationExecution TerminateSession UpdateAssociationStatus UpdateCloudConnector
        UpdateDocument UpdateDocumentDefaultVersion UpdateDocumentMetadata UpdateMaintenanceWindow
        UpdateMaintenanceWindowTarget UpdateOpsItem UpdateOpsMetadata UpdatePatchBaseline
        UpdateResourceDataSync UpdateServiceSetting ValidateCloudConnector
        """
    ),
}
