data "aws_caller_identity" "me" {}

data "aws_partition" "here" {}

locals {
  # Who takes which role: ServiceAccounts as namespace and name.
  accounts = {
    collector          = { namespace = var.namespace, name = "trendlark-collector" }
    analyzer           = { namespace = var.namespace, name = "trendlark-analyzer" }
    web                = { namespace = var.namespace, name = "trendlark-web" }
    pipeline           = { namespace = var.namespace, name = "trendlark-pipeline" }
    secrets            = { namespace = var.namespace, name = "trendlark-external-secrets" }
    efs-csi            = { namespace = "kube-system", name = "efs-csi-controller-sa" }
    cluster-autoscaler = { namespace = "kube-system", name = "cluster-autoscaler" }
  }

  # Encoded here, because Terraform wants both arms of a condition to be of one type.
  trust = { for role, account in local.accounts : role => var.pod_identity ? jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "pods.eks.amazonaws.com" }
      Action    = ["sts:AssumeRole", "sts:TagSession"]
      Condition = {
        StringEquals = {
          "aws:SourceAccount"                         = data.aws_caller_identity.me.account_id
          "aws:RequestTag/kubernetes-namespace"       = account.namespace
          "aws:RequestTag/kubernetes-service-account" = account.name
        }
      }
    }]
    }) : jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Federated = var.oidc_provider_arn }
      Action    = ["sts:AssumeRoleWithWebIdentity"]
      Condition = {
        StringEquals = {
          "${var.oidc_issuer}:aud" = "sts.amazonaws.com"
          "${var.oidc_issuer}:sub" = "system:serviceaccount:${account.namespace}:${account.name}"
        }
      }
    }]
  }) }
}

resource "aws_iam_role" "this" {
  for_each           = local.accounts
  name               = "${var.name}-${each.key}"
  assume_role_policy = local.trust[each.key]
}

resource "aws_iam_role_policy" "this" {
  for_each = local.policies
  name     = each.key
  role     = aws_iam_role.this[each.key].name
  policy   = jsonencode({ Version = "2012-10-17", Statement = each.value })
}

# Its own rules name tags of requests that AWS keeps in step with the driver.
resource "aws_iam_role_policy_attachment" "efs_csi" {
  role       = aws_iam_role.this["efs-csi"].name
  policy_arn = "arn:${data.aws_partition.here.partition}:iam::aws:policy/service-role/AmazonEFSCSIDriverPolicy"
}

resource "aws_eks_pod_identity_association" "this" {
  for_each        = var.pod_identity ? local.accounts : {}
  cluster_name    = var.cluster_name
  namespace       = each.value.namespace
  service_account = each.value.name
  role_arn        = aws_iam_role.this[each.key].arn
}
