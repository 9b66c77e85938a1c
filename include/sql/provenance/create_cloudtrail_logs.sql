-- Grain:   one row per CloudTrail record (duplicated and unordered, as delivered)
-- Writes:  the table definition cloudtrail_logs, no data
-- Params:  trail_bucket, organization_id, account_id, partition (settings); trail_regions (macro)
-- Source:  the table AWS documents for CloudTrail with partition projection: Athena User Guide,
--          "Create the table for CloudTrail logs in Athena using partition projection"
-- Notes:   `timestamp` is the DELIVERY day: an event of 23:59 is found on the next one. `region` is
--          where CloudTrail logged it: a bucket's events in the bucket's own, IAM's and those of
--          the global endpoint of STS in one (us-east-1). The location starts below CloudTrail/,
--          so digests are not read as log files. The projection starts on the day the platform does (the start_date of the DAGs): every day
--          in it is a listing for whoever reads them all, and a day before it has no rows.
CREATE EXTERNAL TABLE IF NOT EXISTS cloudtrail_logs (
    eventversion STRING,
    useridentity STRUCT<
        type: STRING,
        principalid: STRING,
        arn: STRING,
        accountid: STRING,
        invokedby: STRING,
        accesskeyid: STRING,
        username: STRING,
        onbehalfof: STRUCT<
            userid: STRING,
            identitystorearn: STRING>,
        sessioncontext: STRUCT<
            attributes: STRUCT<
                mfaauthenticated: STRING,
                creationdate: STRING>,
            sessionissuer: STRUCT<
                type: STRING,
                principalid: STRING,
                arn: STRING,
                accountid: STRING,
                username: STRING>,
            ec2roledelivery: STRING,
            webidfederationdata: STRUCT<
                federatedprovider: STRING,
                attributes: MAP<STRING, STRING>>
        >
    >,
    eventtime STRING,
    eventsource STRING,
    eventname STRING,
    awsregion STRING,
    sourceipaddress STRING,
    useragent STRING,
    errorcode STRING,
    errormessage STRING,
    requestparameters STRING,
    responseelements STRING,
    additionaleventdata STRING,
    requestid STRING,
    eventid STRING,
    readonly STRING,
    resources ARRAY<STRUCT<
        arn: STRING,
        accountid: STRING,
        type: STRING>>,
    eventtype STRING,
    apiversion STRING,
    recipientaccountid STRING,
    serviceeventdetails STRING,
    sharedeventid STRING,
    vpcendpointid STRING,
    vpcendpointaccountid STRING,
    eventcategory STRING,
    addendum STRUCT<
        reason: STRING,
        updatedfields: STRING,
        originalrequestid: STRING,
        originaleventid: STRING>,
    sessioncredentialfromconsole STRING,
    edgedevicedetails STRING,
    tlsdetails STRUCT<
        tlsversion: STRING,
        ciphersuite: STRING,
        clientprovidedhostheader: STRING>
)
PARTITIONED BY (region STRING, `timestamp` STRING)
ROW FORMAT SERDE 'org.apache.hive.hcatalog.data.JsonSerDe'
STORED AS INPUTFORMAT 'com.amazon.emr.cloudtrail.CloudTrailInputFormat'
OUTPUTFORMAT 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat'
LOCATION 's3://{{ var.json.custody.trail_bucket }}/AWSLogs/{% if var.json.custody.organization_id %}{{ var.json.custody.organization_id }}/{% endif %}{{ var.json.custody.account_id }}/CloudTrail'
TBLPROPERTIES (
    'projection.enabled' = 'true',
    'projection.region.type' = 'enum',
    'projection.region.values' = '{{ trail_regions(var.json.custody.partition) }}',
    'projection.timestamp.type' = 'date',
    'projection.timestamp.format' = 'yyyy/MM/dd',
    'projection.timestamp.interval' = '1',
    'projection.timestamp.interval.unit' = 'DAYS',
    'projection.timestamp.range' = '2026/11/01,NOW',
    'storage.location.template' = 's3://{{ var.json.custody.trail_bucket }}/AWSLogs/{% if var.json.custody.organization_id %}{{ var.json.custody.organization_id }}/{% endif %}{{ var.json.custody.account_id }}/CloudTrail/${region}/${timestamp}'
)
