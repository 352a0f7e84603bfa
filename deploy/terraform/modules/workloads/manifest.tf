# What Kubernetes has to know of this account, for `kubectl apply --server-side`: no id is copied by hand.
locals {
  settings = {
    TRENDLARK_LAKE = "s3://${var.bucket}/lake"
    AWS_REGION     = var.region
  }
  ours = { for role, account in var.accounts : role => account if account.namespace == var.namespace }

  objects = concat(
    [
      {
        apiVersion = "v1"
        kind       = "Namespace"
        metadata   = { name = var.namespace }
      },
      {
        apiVersion = "v1"
        kind       = "ConfigMap"
        metadata   = { name = "trendlark-settings", namespace = var.namespace }
        data       = local.settings
      },
      {
        apiVersion  = "storage.k8s.io/v1"
        kind        = "StorageClass"
        metadata    = { name = "efs-sc" }
        provisioner = "efs.csi.aws.com"
        # A claim that is deleted by mistake must not take the lake with it.
        reclaimPolicy = "Retain"
        mountOptions  = ["tls"]
        parameters = {
          provisioningMode = "efs-ap"
          fileSystemId     = var.file_system_id
          directoryPerms   = "750"
          basePath         = "/claims"
          uid              = "10001"
          gid              = "10001"
        }
      },
    ],
    [for role, account in local.ours : {
      apiVersion = "v1"
      kind       = "ServiceAccount"
      metadata = {
        name        = account.name
        namespace   = account.namespace
        annotations = var.pod_identity ? {} : { "eks.amazonaws.com/role-arn" = var.role_arns[role] }
      }
    }],
  )
}
