data "aws_caller_identity" "me" {}

data "aws_partition" "here" {}

locals {
  # External Secrets takes another account's role by IRSA; by Pod Identity it has its own only.
  reader   = { namespace = "trendlark", name = "trendlark-external-secrets" }
  operator = { namespace = "external-secrets", name = "external-secrets" }

  # Who takes which role: ServiceAccounts as namespace and name. The manifests name the same. The EFS driver's add-on
  # gives its role to both of its accounts, of which the first makes volumes.
  accounts = merge(
    {
      collector          = [{ namespace = "trendlark", name = "trendlark-collector" }]
      analyzer           = [{ namespace = "trendlark", name = "trendlark-analyzer" }]
      web                = [{ namespace = "trendlark", name = "trendlark-web" }]
      model              = [{ namespace = "trendlark", name = "trendlark-model" }]
      pipeline           = var.pipeline_accounts
      secrets            = [var.pod_identity ? local.operator : local.reader]
      efs-csi            = [for part in ["controller", "node"] : { namespace = "kube-system", name = "efs-csi-${part}-sa" }]
      cluster-autoscaler = [{ namespace = "kube-system", name = "cluster-autoscaler" }]
    },
    var.ebs ? { ebs-csi = [{ namespace = "kube-system", name = "ebs-csi-controller-sa" }] } : {},
  )

  # Encoded here, because Terraform wants both arms of a condition to be of one type.
  trust = { for role, accounts in local.accounts : role => var.pod_identity ? jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "pods.eks.amazonaws.com" }
      Action    = ["sts:AssumeRole", "sts:TagSession"]
      Condition = {
        StringEquals = {
          "aws:SourceAccount"                         = data.aws_caller_identity.me.account_id
          "aws:RequestTag/eks-cluster-name"           = var.cluster_name
          "aws:RequestTag/kubernetes-namespace"       = distinct(accounts[*].namespace)
          "aws:RequestTag/kubernetes-service-account" = distinct(accounts[*].name)
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
          "${var.oidc_issuer}:sub" = [for a in accounts : "system:serviceaccount:${a.namespace}:${a.name}"]
        }
      }
    }]
  }) }

  # Their own rules name tags of requests that AWS keeps in step with the drivers.
  managed = merge(
    { efs-csi = "AmazonEFSCSIDriverPolicy" },
    var.ebs ? { ebs-csi = "AmazonEBSCSIDriverPolicy" } : {},
  )
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

resource "aws_iam_role_policy_attachment" "managed" {
  for_each   = local.managed
  role       = aws_iam_role.this[each.key].name
  policy_arn = "arn:${data.aws_partition.here.partition}:iam::aws:policy/service-role/${each.value}"
}

# The drivers' roles are given with their add-ons.
resource "aws_eks_pod_identity_association" "this" {
  for_each = var.pod_identity ? merge([for role, accounts in local.accounts : {
    for account in accounts : "${role}:${account.namespace}:${account.name}" => merge(account, { role = role })
  } if !contains(keys(local.managed), role)]...) : {}
  cluster_name    = var.cluster_name
  namespace       = each.value.namespace
  service_account = each.value.name
  role_arn        = aws_iam_role.this[each.value.role].arn
}
