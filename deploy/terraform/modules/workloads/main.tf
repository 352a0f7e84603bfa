locals {
  addons = merge(
    { for addon in ["coredns", "kube-proxy", "vpc-cni", "metrics-server", "aws-efs-csi-driver"] : addon => null },
    var.pod_identity ? { "eks-pod-identity-agent" = null } : {},
    # With Pod Identity the association gives the role; naming it here too would be refused.
    var.pod_identity ? {} : { "aws-efs-csi-driver" = var.role_arns["efs-csi"] },
  )
}

resource "aws_eks_addon" "this" {
  for_each                    = var.enable_addons ? local.addons : {}
  cluster_name                = var.cluster_name
  addon_name                  = each.key
  service_account_role_arn    = each.value
  resolve_conflicts_on_create = "OVERWRITE"
  resolve_conflicts_on_update = "OVERWRITE"
}

# Made empty: the values are put in by hand and never pass through Terraform, so none is in the state.
resource "aws_secretsmanager_secret" "this" {
  for_each = {
    "x-bearer-token" = "App-only bearer token of the X API v2"
    "api-token"      = "Token that callers of the dashboard's API send"
  }
  name                    = "${var.name}/${each.key}"
  description             = each.value
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
