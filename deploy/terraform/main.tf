locals {
  name = coalesce(var.name, "trendlark-${var.environment}")
}

# A workspace holds the state of one environment; another one's variables would tear it down.
resource "terraform_data" "workspace" {
  input = local.name

  lifecycle {
    precondition {
      condition     = contains(["default", var.environment], terraform.workspace)
      error_message = "Found the workspace ${terraform.workspace} and the variables of ${var.environment}; they must be of one environment. Run `terraform workspace select ${var.environment}` or give the other -var-file."
    }
  }
}

module "network" {
  source       = "./modules/network"
  name         = local.name
  cidr         = var.cidr
  zone_count   = var.zone_count
  nat_per_zone = var.nat_per_zone
}

module "cluster" {
  source             = "./modules/cluster"
  name               = local.name
  kubernetes_version = var.kubernetes_version
  subnet_ids         = values(module.network.private_subnet_ids)
  api_allowed_cidrs  = var.api_allowed_cidrs
  admin_role_arns    = var.admin_role_arns
  log_days           = var.log_days
  tag_groups         = var.enable_autoscaler_tags
  training           = var.training

  nodes = {
    instance_types = var.node_instance_types
    minimum        = var.node_minimum
    desired        = var.node_desired
    maximum        = var.node_maximum
    spot           = var.node_spot
    disk_gib       = var.node_disk_gib
  }
}

module "storage" {
  source                = "./modules/storage"
  name                  = local.name
  vpc_id                = module.network.vpc_id
  subnet_ids            = module.network.private_subnet_ids
  client_cidrs          = module.network.private_subnet_cidrs
  lake_noncurrent_days  = var.lake_noncurrent_days
  model_noncurrent_days = var.model_noncurrent_days
  log_days              = var.log_days
  efs_backup            = var.efs_backup
  allow_destroy         = var.allow_destroy
}

module "identity" {
  source            = "./modules/identity"
  name              = local.name
  cluster_name      = module.cluster.name
  pod_identity      = var.pod_identity
  pipeline_accounts = [for a in var.pipeline_service_accounts : { namespace = split(":", a)[0], name = split(":", a)[1] }]
  ebs               = var.enable_kubeflow
  oidc_provider_arn = module.cluster.oidc_provider_arn
  oidc_issuer       = module.cluster.oidc_issuer
  bucket_arn        = module.storage.bucket_arn
  data_key_arn      = module.storage.data_key_arn
  secret_arns       = [module.workloads.tokens_arn]
}

module "registry" {
  source        = "./modules/registry"
  repositories  = ["trendlark/service", "trendlark/train"]
  create        = var.create_repositories
  kept_images   = var.kept_images
  allow_destroy = var.allow_destroy
}

module "workloads" {
  source               = "./modules/workloads"
  name                 = local.name
  region               = var.region
  cluster_name         = module.cluster.name
  kubernetes_version   = var.kubernetes_version
  enable_addons        = var.enable_addons
  ebs                  = var.enable_kubeflow
  training_label       = module.cluster.training_label
  pod_identity         = var.pod_identity
  accounts             = module.identity.accounts
  role_arns            = module.identity.role_arns
  bucket               = module.storage.bucket
  registry             = module.registry.host
  image_tag            = var.image_tag
  file_system_id       = module.storage.file_system_id
  data_key_arn         = module.storage.data_key_arn
  allow_destroy        = var.allow_destroy
  budget_usd_per_month = var.budget_usd_per_month
  alarm_emails         = var.alarm_emails
  enable_cloud9        = var.enable_cloud9
  cloud9_subnet_id     = values(module.network.private_subnet_ids)[0]
}
