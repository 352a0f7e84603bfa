# What each role may do in the bucket, by prefix. A table of the lake is a prefix of the same name.
locals {
  buckets = {
    collector = {
      reads   = [for table in local.collected : "lake/${table}"]
      writes  = [for table in local.collected : "lake/${table}"]
      deletes = [for table in local.collected : "lake/${table}/_delta_log"]
    }
    analyzer = {
      reads   = ["lake", "models"]
      writes  = [for table in local.analysed : "lake/${table}"]
      deletes = [for table in local.analysed : "lake/${table}/_delta_log"]
    }
    web = {
      reads   = ["lake", "models"]
      writes  = []
      deletes = []
    }
    # KServe's copy of the model, which sees no tweet of the lake.
    model = {
      reads   = ["models"]
      writes  = []
      deletes = []
    }
    pipeline = {
      reads   = ["models", "pipelines"]
      writes  = ["models", "pipelines"]
      deletes = ["pipelines"]
    }
  }
  collected = ["pages", "refusals", "runs", "trends", "tweets"]
  analysed  = ["analyses", "runs", "trends"]

  on_bucket = { for role, may in local.buckets : role => concat(
    [
      {
        Sid       = "List"
        Effect    = "Allow"
        Action    = ["s3:ListBucket"]
        Resource  = [var.bucket_arn]
        Condition = { StringLike = { "s3:prefix" = flatten([for p in may.reads : [p, "${p}/*"]]) } }
      },
      {
        Sid      = "Read"
        Effect   = "Allow"
        Action   = ["s3:GetObject"]
        Resource = [for p in may.reads : "${var.bucket_arn}/${p}/*"]
      },
      {
        Sid      = "Decrypt"
        Effect   = "Allow"
        Action   = length(may.writes) > 0 ? ["kms:Decrypt", "kms:GenerateDataKey"] : ["kms:Decrypt"]
        Resource = [var.data_key_arn]
      },
    ],
    length(may.writes) == 0 ? [] : [
      {
        Sid      = "Write"
        Effect   = "Allow"
        Action   = ["s3:AbortMultipartUpload", "s3:PutObject"]
        Resource = [for p in may.writes : "${var.bucket_arn}/${p}/*"]
      },
    ],
    # Delta clears entries of its log that are past their time; data files go only with `lake vacuum`.
    length(may.deletes) == 0 ? [] : [
      {
        Sid      = "Delete"
        Effect   = "Allow"
        Action   = ["s3:DeleteObject"]
        Resource = [for p in may.deletes : "${var.bucket_arn}/${p}/*"]
      },
    ],
  ) }

  policies = merge(local.on_bucket, {
    secrets = [
      {
        Sid      = "Read"
        Effect   = "Allow"
        Action   = ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"]
        Resource = var.secret_arns
      },
      {
        Sid      = "Decrypt"
        Effect   = "Allow"
        Action   = ["kms:Decrypt"]
        Resource = [var.data_key_arn]
      },
    ]
    cluster-autoscaler = [
      {
        Sid    = "Look"
        Effect = "Allow"
        Action = [
          "autoscaling:DescribeAutoScalingGroups",
          "autoscaling:DescribeAutoScalingInstances",
          "autoscaling:DescribeLaunchConfigurations",
          "autoscaling:DescribeScalingActivities",
          "autoscaling:DescribeTags",
          "ec2:DescribeImages",
          "ec2:DescribeInstanceTypes",
          "ec2:DescribeLaunchTemplateVersions",
          "ec2:GetInstanceTypesFromInstanceRequirements",
          "eks:DescribeNodegroup",
        ]
        Resource = ["*"]
      },
      {
        Sid      = "ScaleThisCluster"
        Effect   = "Allow"
        Action   = ["autoscaling:SetDesiredCapacity", "autoscaling:TerminateInstanceInAutoScalingGroup"]
        Resource = ["*"]
        Condition = {
          StringEquals = { "aws:ResourceTag/k8s.io/cluster-autoscaler/${var.cluster_name}" = "owned" }
        }
      },
    ]
  })
}
