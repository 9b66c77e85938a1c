"""Operations of what runs the platform: Lambda, SQS, Glue, Athena, Airflow and CloudFormation."""

from __future__ import annotations

from typing import Final

from custody.core.calls.kinds import Operations, changes, gives_role, no_concern, reads

LAMBDA: Final[Operations] = {
    **changes("function", "functionName functionArn", "UpdateFunctionCode", "code"),
    **changes(
        "function",
        "functionName functionArn",
        """
        AddPermission CreateAlias CreateFunction CreateFunctionUrlConfig DeleteAlias
        DeleteFunction DeleteFunctionCodeSigningConfig DeleteFunctionConcurrency
        DeleteFunctionEventInvokeConfig DeleteFunctionUrlConfig
        DeleteProvisionedConcurrencyConfig PutFunctionCodeSigningConfig PutFunctionConcurrency
        PutFunctionEventInvokeConfig PutFunctionRecursionConfig PutFunctionScalingConfig
        PutProvisionedConcurrencyConfig PutRuntimeManagementConfig RemovePermission UpdateAlias
        UpdateFunctionConfiguration UpdateFunctionEventInvokeConfig UpdateFunctionUrlConfig
        """,
        "configuration",
    ),
    # Named by an id alone: the answer says whose it is.
    **changes(
        "function",
        "functionName functionArn",
        "CreateEventSourceMapping DeleteEventSourceMapping UpdateEventSourceMapping",
        "subscription",
    ),
    **gives_role("CreateCapacityProvider"),
    **no_concern(
        """
        AddLayerVersionPermission CheckpointDurableExecution CreateCodeSigningConfig
        DeleteCapacityProvider DeleteCodeSigningConfig DeleteLayerVersion Invoke InvokeAsync
        InvokeWithResponseStream PublishLayerVersion PublishVersion RemoveLayerVersionPermission
        SendDurableExecutionCallbackFailure SendDurableExecutionCallbackHeartbeat
        SendDurableExecutionCallbackSuccess StopDurableExecution TagResource UntagResource
        UpdateCapacityProvider UpdateCodeSigningConfig
        """
    ),
}

SQS: Final[Operations] = {
    **changes("queue", "queueUrl queueName", "PurgeQueue", "messages"),
    **changes(
        "queue",
        "queueUrl queueName",
        "AddPermission CreateQueue DeleteQueue RemovePermission SetQueueAttributes",
        "configuration",
    ),
    # Sending dead letters back gives the recorder what it had before.
    **no_concern(
        """
        CancelMessageMoveTask ChangeMessageVisibility ChangeMessageVisibilityBatch DeleteMessage
        DeleteMessageBatch SendMessage SendMessageBatch StartMessageMoveTask TagQueue UntagQueue
        """
    ),
    **reads("ReceiveMessage"),
}

CATALOG_CALLS: Final = """
    BatchCreatePartition BatchDeletePartition BatchUpdatePartition CreatePartition DeletePartition
    UpdatePartition CreateTable UpdateTable DeleteTable BatchDeleteTable DeleteDatabase
"""
"""The calls that change tables and partitions, of which each is told apart."""

GLUE: Final[Operations] = {
    **changes("database", "databaseName name", CATALOG_CALLS, "tables"),
    **changes(
        "database",
        "databaseName name",
        """
        BatchDeleteTableVersion CreateDatabase CreatePartitionIndex CreateTableOptimizer
        CreateUserDefinedFunction DeletePartitionIndex DeleteTableOptimizer DeleteTableVersion
        DeleteUserDefinedFunction UpdateDatabase UpdateTableOptimizer UpdateUserDefinedFunction
        """,
        "set-up",
    ),
    **changes("job", "jobName name", "BatchStopJobRun StartJobRun", "runs"),
    **changes(
        "job",
        "jobName name",
        """
        CreateJob CreateTrigger DeleteJob ResetJobBookmark UpdateJob UpdateJobFromSourceControl
        UpdateSourceControlFromJob UpdateTrigger
        """,
        "code",
    ),
    **changes(
        "security configuration", "name", "CreateSecurityConfiguration DeleteSecurityConfiguration"
    ),
    **changes(
        "catalog",
        "",
        "DeleteResourcePolicy PutDataCatalogEncryptionSettings PutResourcePolicy",
        "policy",
    ),
    **gives_role(
        """
        CreateCatalog CreateColumnStatisticsTaskSettings CreateCrawler CreateDevEndpoint
        CreateIntegrationResourceProperty CreateMLTransform CreateSession StartBlueprintRun
        StartColumnStatisticsTaskRun StartDataQualityRuleRecommendationRun
        StartDataQualityRulesetEvaluationRun UpdateCatalog UpdateColumnStatisticsTaskSettings
        UpdateCrawler UpdateIntegrationResourceProperty UpdateMLTransform
        """
    ),
    # What others keep in Glue. What a crawler or a session does, it does by calls of its own.
    **no_concern(
        """
        AssociateGlossaryTerms BatchDeleteConnection BatchPutDataQualityStatisticAnnotation
        CancelDataQualityRuleRecommendationRun CancelDataQualityRulesetEvaluationRun
        CancelMLTaskRun CancelStatement CheckSchemaVersionValidity CreateBlueprint
        CreateClassifier CreateConnection CreateCustomEntityType CreateDataQualityRuleset
        CreateGlossary CreateGlossaryTerm CreateGlueIdentityCenterConfiguration CreateIntegration
        CreateIntegrationTableProperties CreateRegistry CreateSchema CreateScript
        CreateUsageProfile CreateWorkflow DeleteAsset DeleteAssetType DeleteAttachment
        DeleteBlueprint DeleteCatalog DeleteClassifier DeleteColumnStatisticsForPartition
        DeleteColumnStatisticsForTable DeleteColumnStatisticsTaskSettings DeleteConnection
        DeleteConnectionType DeleteCrawler DeleteCustomEntityType DeleteDataQualityRuleset
        DeleteDevEndpoint DeleteFormType DeleteGlossary DeleteGlossaryTerm
        DeleteGlueIdentityCenterConfiguration DeleteIntegration DeleteIntegrationResourceProperty
        DeleteIntegrationTableProperties DeleteMLTransform DeleteRegistry DeleteSchema
        DeleteSchemaVersions DeleteSession DeleteTrigger DeleteUsageProfile DeleteWorkflow
        DisassociateGlossaryTerms ImportCatalogToGlue ModifyIntegration PutAsset PutAssetType
        PutAttachment PutDataQualityProfileAnnotation PutFormType PutSchemaVersionMetadata
        PutWorkflowRunProperties RegisterConnectionType RegisterSchemaVersion
        RemoveSchemaVersionMetadata ResumeWorkflowRun RunStatement
        StartColumnStatisticsTaskRunSchedule StartCrawler StartCrawlerSchedule
        StartExportLabelsTaskRun StartImportLabelsTaskRun StartMLEvaluationTaskRun
        StartMLLabelingSetGenerationTaskRun StartMaterializedViewRefreshTaskRun StartTrigger
        StartWorkflowRun StopColumnStatisticsTaskRun StopColumnStatisticsTaskRunSchedule
        StopCrawler StopCrawlerSchedule StopMaterializedViewRefreshTaskRun StopSession StopTrigger
        StopWorkflowRun TagResource TestConnection UntagResource UpdateAsset UpdateBlueprint
        UpdateClassifier UpdateColumnStatisticsForPartition UpdateColumnStatisticsForTable
        UpdateConnection UpdateCrawlerSchedule UpdateDataQualityRuleset UpdateDevEndpoint
        UpdateGlossary UpdateGlossaryTerm UpdateGlueIdentityCenterConfiguration
        UpdateIntegrationTableProperties UpdateRegistry UpdateSchema UpdateUsageProfile
        UpdateWorkflow
        """
    ),
    **reads("QuerySchemaVersionMetadata"),
}

ATHENA: Final[Operations] = {
    **changes("workgroup", "workGroup name", "CreateWorkGroup DeleteWorkGroup UpdateWorkGroup"),
    **gives_role("StartSession"),
    # A query that changes the catalog is a call to Glue as well.
    **no_concern(
        """
        CancelCapacityReservation CreateCapacityReservation CreateDataCatalog CreateNamedQuery
        CreateNotebook CreatePreparedStatement CreatePresignedNotebookUrl
        DeleteCapacityReservation DeleteDataCatalog DeleteNamedQuery DeleteNotebook
        DeletePreparedStatement ExportNotebook ImportNotebook PutCapacityAssignmentConfiguration
        StartCalculationExecution StartQueryExecution StopCalculationExecution StopQueryExecution
        TagResource TerminateSession UntagResource UpdateCapacityReservation UpdateDataCatalog
        UpdateNamedQuery UpdateNotebook UpdateNotebookMetadata UpdatePreparedStatement
        """
    ),
}

AIRFLOW: Final[Operations] = {
    **changes("environment", "name", "CreateEnvironment DeleteEnvironment UpdateEnvironment"),
    **no_concern(
        "CreateCliToken CreateWebLoginToken InvokeRestApi PublishMetrics TagResource UntagResource"
    ),
}

CLOUDFORMATION: Final[Operations] = {
    **changes(
        "stack",
        "stackName stackId changeSetName",
        """
        CancelUpdateStack ContinueUpdateRollback CreateChangeSet CreateStack DeleteStack
        ExecuteChangeSet RollbackStack SetStackPolicy UpdateStack UpdateTerminationProtection
        """,
    ),
    **gives_role(
        """
        ActivateType CreateStackSet RegisterType UpdateStackSet
        """
    ),
    **no_concern(
        """
        ActivateOrganizationsAccess CreateGeneratedTemplate CreateStackInstances
        CreateStackRefactor DeactivateOrganizationsAccess DeactivateType DeleteChangeSet
        DeleteGeneratedTemplate DeleteStackInstances DeleteStackSet DeregisterType
        DetectStackDrift DetectStackResourceDrift DetectStackSetDrift EstimateTemplateCost
        ExecuteStackRefactor ImportStacksToStackSet PublishType RecordHandlerProgress
        RegisterPublisher SetTypeConfiguration SetTypeDefaultVersion SignalResource
        StartResourceScan StopStackSetOperation TestType UpdateGeneratedTemplate
        UpdateStackInstances
        """
    ),
    **reads("ValidateTemplate"),
}
