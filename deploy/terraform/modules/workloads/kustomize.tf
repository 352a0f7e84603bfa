# Kustomizations on top of the repository's overlays: theirs is what runs, ours is where.
locals {
  settings = {
    TRENDLARK_LAKE = "s3://${var.bucket}/lake"
    AWS_REGION     = var.region
  }

  # The registry that the overlays name until somebody names theirs.
  placeholder = "000000000000.dkr.ecr.eu-west-1.amazonaws.com"

  images = [for image in ["trendlark/service", "trendlark/train"] : merge(
    { name = "${local.placeholder}/${image}", newName = "${var.registry}/${image}" },
    var.image_tag == null ? {} : { newTag = var.image_tag },
  )]

  patches = {
    s3 = concat(
      [{
        target = { kind = "ConfigMap", name = "trendlark-settings" }
        patch = yamlencode([for key, value in local.settings : {
          op = "add", path = "/data/${key}", value = value
        }])
      }],
      [for role in ["analyzer", "collector", "web"] : {
        target = { kind = "ServiceAccount", name = var.accounts[role][0].name }
        patch = var.pod_identity ? yamlencode([{ op = "remove", path = "/metadata/annotations" }]) : yamlencode([{
          op = "add", path = "/metadata/annotations", value = { (local.arn) = var.role_arns[role] }
        }])
      }],
    )
    efs = [{
      target = { kind = "StorageClass", name = local.efs_class.metadata.name }
      patch = yamlencode([{
        op = "replace", path = "/parameters/fileSystemId", value = local.efs_class.parameters.fileSystemId
      }])
    }]
  }

  kustomizations = { for overlay, patches in local.patches : overlay => yamlencode({
    apiVersion = "kustomize.config.k8s.io/v1beta1"
    kind       = "Kustomization"
    resources  = ["../../../kubernetes/overlays/${overlay}"]
    images     = local.images
    patches    = patches
  }) }

  # Values of the Helm charts that belong to the cluster and not to Trendlark.
  helm_values = {
    cluster-autoscaler = yamlencode({
      autoDiscovery = { clusterName = var.cluster_name }
      awsRegion     = var.region
      rbac = { serviceAccount = {
        name        = var.accounts["cluster-autoscaler"][0].name
        annotations = var.pod_identity ? {} : { (local.arn) = var.role_arns["cluster-autoscaler"] }
      } }
      # What pods keep on their node (emptyDir) is nothing that has to stay.
      extraArgs = { skip-nodes-with-local-storage = false }
    })
    # On the nodes that train only, whose taint it has to bear.
    nvidia-device-plugin = yamlencode({
      nodeSelector = { (var.training_label) = "true" }
      tolerations  = [{ key = var.training_label, operator = "Exists", effect = "NoSchedule" }]
      # The chart's own rule waits for labels of a discovery service that is not there.
      affinity = null
    })
  }
}
