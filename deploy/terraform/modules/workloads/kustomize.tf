# Kustomizations on top of the repository's overlays: theirs is what runs, ours is where.
locals {
  settings = {
    TRENDLARK_LAKE = "s3://${var.bucket}/lake"
    AWS_REGION     = var.region
  }

  # The registry that the overlays name until somebody names theirs.
  placeholder = "000000000000.dkr.ecr.eu-west-1.amazonaws.com"

  images = [for image in ["trendlark/service", "trendlark/train"] : {
    name    = "${local.placeholder}/${image}"
    newName = "${var.registry}/${image}"
    newTag  = var.image_tag
  }]

  # Kinds of others, in which kustomize does not know where an image stands.
  image_of = { for kind, at in {
    InferenceService = { path = "/spec/predictor/containers/0/image", image = "trendlark/service" }
    Notebook         = { path = "/spec/template/spec/containers/0/image", image = "trendlark/train" }
    } : kind => {
    target = { kind = kind, name = "trendlark" }
    patch  = yamlencode([{ op = "replace", path = at.path, value = "${var.registry}/${at.image}:${var.image_tag}" }])
  } }

  roles = { for role in ["analyzer", "collector", "model", "web"] : role => {
    target = { kind = "ServiceAccount", name = var.accounts[role][0].name }
    patch = yamlencode([{
      op = "add", path = "/metadata/annotations", value = var.pod_identity ? {} : { (local.arn) = var.role_arns[role] }
    }])
  } }

  on_efs = {
    target = { kind = "PersistentVolumeClaim", name = "trendlark-lake" }
    patch  = yamlencode([{ op = "add", path = "/spec/storageClassName", value = local.efs_class.metadata.name }])
  }

  overlays = {
    s3 = {
      folder = "kubernetes/overlays/s3"
      patches = concat(
        [{
          target = { kind = "ConfigMap", name = "trendlark-settings" }
          patch = yamlencode([for key, value in local.settings : {
            op = "add", path = "/data/${key}", value = value
          }])
        }],
        [for role in ["analyzer", "collector", "web"] : local.roles[role]],
      )
    }
    efs = {
      folder = "kubernetes/overlays/efs"
      patches = [{
        target = { kind = "StorageClass", name = local.efs_class.metadata.name }
        patch = yamlencode([{
          op = "replace", path = "/parameters/fileSystemId", value = local.efs_class.parameters.fileSystemId
        }])
      }]
    }
    kserve    = { folder = "kubernetes/overlays/kserve", patches = [local.roles.model, local.image_of.InferenceService] }
    pipelines = { folder = "kubeflow/pipelines", patches = [local.on_efs] }
    notebook  = { folder = "kubeflow/notebook", patches = [local.image_of.Notebook] }
  }

  kustomizations = { for name, overlay in local.overlays : name => yamlencode({
    apiVersion = "kustomize.config.k8s.io/v1beta1"
    kind       = "Kustomization"
    resources  = ["../../../${overlay.folder}"]
    images     = local.images
    patches    = overlay.patches
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
