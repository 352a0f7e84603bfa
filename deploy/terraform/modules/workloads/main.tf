locals {
  # What an add-on does beyond its defaults: NetworkPolicies are obeyed only where the network add-on is told to.
  values = { vpc-cni = jsonencode({ enableNetworkPolicy = "true" }) }

  # Drivers and the role that each takes; its ServiceAccount has one name only.
  drivers = merge({ aws-efs-csi-driver = "efs-csi" }, var.ebs ? { aws-ebs-csi-driver = "ebs-csi" } : {})

  addons = concat(
    ["coredns", "kube-proxy", "metrics-server", "vpc-cni"],
    keys(local.drivers),
    var.pod_identity ? ["eks-pod-identity-agent"] : [],
  )
}

# What AWS takes by itself for this version of Kubernetes. It leaves add-ons as they are when the cluster is upgraded.
data "aws_eks_addon_version" "usual" {
  for_each           = toset(var.enable_addons ? local.addons : [])
  addon_name         = each.key
  kubernetes_version = var.kubernetes_version
}

resource "aws_eks_addon" "this" {
  for_each                    = data.aws_eks_addon_version.usual
  cluster_name                = var.cluster_name
  addon_name                  = each.key
  addon_version               = each.value.version
  configuration_values        = lookup(local.values, each.key, null)
  service_account_role_arn    = var.pod_identity ? null : try(var.role_arns[local.drivers[each.key]], null)
  resolve_conflicts_on_create = "OVERWRITE"
  resolve_conflicts_on_update = "OVERWRITE"

  dynamic "pod_identity_association" {
    for_each = { for driver, role in local.drivers : driver => role if var.pod_identity && driver == each.key }
    content {
      role_arn        = var.role_arns[pod_identity_association.value]
      service_account = var.accounts[pod_identity_association.value][0].name
    }
  }
}

# Made empty: the value is put in by hand and never passes through Terraform, so it is in no state.
resource "aws_secretsmanager_secret" "tokens" {
  name                    = "${var.name}/tokens"
  description             = "JSON: x-bearer-token of the X API v2 (optional), api-token that callers of the API send"
  kms_key_id              = var.data_key_arn
  recovery_window_in_days = var.allow_destroy ? 0 : 7
}

resource "aws_budgets_budget" "this" {
  count        = var.budget_usd_per_month > 0 ? 1 : 0
  name         = var.name
  budget_type  = "COST"
  time_unit    = "MONTHLY"
  limit_amount = tostring(var.budget_usd_per_month)
  limit_unit   = "USD"

  cost_filter {
    name   = "TagKeyValue"
    values = ["user:Project$trendlark"]
  }

  dynamic "notification" {
    for_each = { ACTUAL = 80, FORECASTED = 100 }
    content {
      notification_type          = notification.key
      threshold                  = notification.value
      threshold_type             = "PERCENTAGE"
      comparison_operator        = "GREATER_THAN"
      subscriber_email_addresses = var.alarm_emails
    }
  }
}

# Closed to customers who had none in July 2024; they take the dev container or a Kubeflow Notebook.
resource "aws_cloud9_environment_ec2" "this" {
  count                       = var.enable_cloud9 ? 1 : 0
  name                        = var.name
  instance_type               = "t3.small"
  image_id                    = "amazonlinux-2023-x86_64"
  connection_type             = "CONNECT_SSM"
  subnet_id                   = var.cloud9_subnet_id
  automatic_stop_time_minutes = 30
}
