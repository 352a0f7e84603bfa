# What Kubernetes has to know of this account and the repository cannot: no id is copied by hand.
locals {
  arn = "eks.amazonaws.com/role-arn"

  # EFS: several pods on several nodes write at once. The overlay efs has the same class for who fills it in by hand.
  efs_class = {
    apiVersion  = "storage.k8s.io/v1"
    kind        = "StorageClass"
    metadata    = { name = "efs-sc" }
    provisioner = "efs.csi.aws.com"
    # A claim that is deleted by mistake must not take the lake with it.
    reclaimPolicy     = "Retain"
    volumeBindingMode = "Immediate"
    mountOptions      = ["tls"]
    parameters = {
      provisioningMode = "efs-ap"
      fileSystemId     = var.file_system_id
      directoryPerms   = "770"
      uid              = "10001"
      gid              = "10001"
    }
  }

  # EBS: the databases of Kubeflow, each used by one pod, name no class.
  ebs_class = {
    apiVersion        = "storage.k8s.io/v1"
    kind              = "StorageClass"
    metadata          = { name = "gp3", annotations = { "storageclass.kubernetes.io/is-default-class" = "true" } }
    provisioner       = "ebs.csi.aws.com"
    reclaimPolicy     = "Delete"
    volumeBindingMode = "WaitForFirstConsumer"
    parameters        = { type = "gp3", encrypted = "true" }
  }

  # Pods ask the agent on their node for credentials; the manifests deny all that they do not name.
  to_agent = {
    apiVersion = "networking.k8s.io/v1"
    kind       = "NetworkPolicy"
    metadata   = { name = "trendlark-pod-identity", namespace = "trendlark" }
    spec = {
      podSelector = { matchLabels = { "app.kubernetes.io/name" = "trendlark" } }
      policyTypes = ["Egress"]
      egress = [{
        to    = [{ ipBlock = { cidr = "169.254.170.23/32" } }]
        ports = [{ protocol = "TCP", port = 80 }]
      }]
    }
  }

  # Accounts that the repository's manifests do not make.
  own_accounts = { for role in ["pipeline", "secrets"] : role => [for account in var.accounts[role] : {
    apiVersion = "v1"
    kind       = "ServiceAccount"
    metadata = {
      name        = account.name
      namespace   = account.namespace
      annotations = var.pod_identity ? {} : { (local.arn) = var.role_arns[role] }
    }
  }] }

  objects = concat(
    [{ apiVersion = "v1", kind = "Namespace", metadata = { name = "trendlark" } }, local.efs_class],
    [for account in local.own_accounts.secrets : account if account.metadata.namespace == "trendlark"],
    var.ebs ? [local.ebs_class] : [],
    var.pod_identity ? [local.to_agent] : [],
  )

  # For the External Secrets Operator: what is in Secrets Manager is in the Secret an hour later at most.
  secret_objects = [
    {
      apiVersion = "external-secrets.io/v1"
      kind       = "SecretStore"
      metadata   = { name = "trendlark-aws", namespace = "trendlark" }
      spec = { provider = { aws = merge(
        { service = "SecretsManager", region = var.region },
        var.pod_identity ? {} : { auth = { jwt = { serviceAccountRef = { name = var.accounts["secrets"][0].name } } } },
      ) } }
    },
    {
      apiVersion = "external-secrets.io/v1"
      kind       = "ExternalSecret"
      metadata   = { name = "trendlark-secrets", namespace = "trendlark" }
      spec = {
        refreshInterval = "1h"
        secretStoreRef  = { kind = "SecretStore", name = "trendlark-aws" }
        target          = { name = "trendlark-secrets" }
        dataFrom        = [{ extract = { key = aws_secretsmanager_secret.tokens.name } }]
      }
    },
  ]

  # For Kubeflow Pipelines, once installed: where artefacts go, and by whose rights.
  pipeline_objects = concat(
    [{
      apiVersion = "v1"
      kind       = "ConfigMap"
      metadata   = { name = "kfp-launcher", namespace = "kubeflow" }
      data = {
        defaultPipelineRoot = "s3://${var.bucket}/pipelines"
        providers = yamlencode({ s3 = { default = {
          endpoint    = "s3.${var.region}.amazonaws.com"
          region      = var.region
          disableSSL  = false
          credentials = { fromEnv = true }
        } } })
      }
    }],
    local.own_accounts.pipeline,
  )
}
