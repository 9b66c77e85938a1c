"""Operations of CloudTrail, EventBridge, CloudWatch and SNS, which watch and tell; and settings."""

from __future__ import annotations

from typing import Final

from custody.core.calls.kinds import Operations, changes, no_concern

CLOUDTRAIL: Final[Operations] = {
    **changes("trail", "name trailName", "StartLogging StopLogging", "logging"),
    **changes("trail", "name trailName", "PutEventSelectors PutInsightSelectors", "selectors"),
    **changes(
        "trail", "name trailName", "CreateTrail DeleteTrail PutEventConfiguration UpdateTrail",
        "configuration",
    ),
    # Event data stores and channels are beside the trail.
    **no_concern(
        """
        AddTags CancelQuery CreateChannel CreateDashboard CreateEventDataStore DeleteChannel
        DeleteDashboard DeleteEventDataStore DeleteResourcePolicy
        DeregisterOrganizationDelegatedAdmin DisableFederation EnableFederation GenerateQuery
        PutResourcePolicy RegisterOrganizationDelegatedAdmin RemoveTags RestoreEventDataStore
        StartDashboardRefresh StartEventDataStoreIngestion StartImport StartQuery
        StopEventDataStoreIngestion StopImport UpdateChannel UpdateDashboard UpdateEventDataStore
        """
    ),
}  # fmt: skip

EVENTS: Final[Operations] = {
    **changes(
        "rule",
        "name rule",
        "DeleteRule DisableRule EnableRule PutRule PutTargets RemoveTargets",
    ),
    **no_concern(
        """
        ActivateEventSource CancelReplay CreateApiDestination CreateArchive CreateConnection
        CreateEndpoint CreateEventBus CreatePartnerEventSource DeactivateEventSource
        DeauthorizeConnection DeleteApiDestination DeleteArchive DeleteConnection DeleteEndpoint
        DeleteEventBus DeletePartnerEventSource PutEvents PutPartnerEvents PutPermission
        RemovePermission StartReplay TagResource TestEventPattern UntagResource
        UpdateApiDestination UpdateArchive UpdateConnection UpdateEndpoint UpdateEventBus
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
    **no_concern(
        """
        AssociateDatasetKmsKey DeleteAnomalyDetector DeleteDashboards DeleteInsightRules
        DeleteMetricStream DisableInsightRules DisassociateDatasetKmsKey EnableInsightRules
        PutAnomalyDetector PutDashboard PutInsightRule PutManagedInsightRules PutMetricData
        PutMetricStream StartMetricStreams StartOTelEnrichment StopMetricStreams
        StopOTelEnrichment TagResource UntagResource
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
    **no_concern(
        """
        AddTagsToResource AssociateOpsItemRelatedItem CancelCommand
        CancelMaintenanceWindowExecution CreateActivation CreateAssociation
        CreateAssociationBatch CreateCloudConnector CreateDocument CreateMaintenanceWindow
        CreateOpsItem CreateOpsMetadata CreatePatchBaseline CreateResourceDataSync
        DeleteActivation DeleteAssociation DeleteCloudConnector DeleteDocument DeleteInventory
        DeleteMaintenanceWindow DeleteOpsItem DeleteOpsMetadata DeletePatchBaseline
        DeleteResourceDataSync DeregisterManagedInstance
        DeregisterPatchBaselineForPatchGroup DeregisterTargetFromMaintenanceWindow
        DeregisterTaskFromMaintenanceWindow DisassociateOpsItemRelatedItem
        ModifyDocumentPermission PutComplianceItems PutInventory RegisterDefaultPatchBaseline
        RegisterPatchBaselineForPatchGroup RegisterTargetWithMaintenanceWindow
        RegisterTaskWithMaintenanceWindow RemoveTagsFromResource ResetServiceSetting
        ResumeSession SendAutomationSignal SendCommand StartAccessRequest
        StartAssociationsOnce StartAutomationExecution StartChangeRequestExecution
        StartExecutionPreview StartSession StopAutomationExecution TerminateSession
        UpdateAssociation UpdateAssociationStatus UpdateCloudConnector UpdateDocument
        UpdateDocumentDefaultVersion UpdateDocumentMetadata UpdateMaintenanceWindow
        UpdateMaintenanceWindowTarget UpdateMaintenanceWindowTask UpdateManagedInstanceRole
        UpdateOpsItem UpdateOpsMetadata UpdatePatchBaseline UpdateResourceDataSync
        UpdateServiceSetting ValidateCloudConnector
        """
    ),
}
