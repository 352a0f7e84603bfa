data "aws_caller_identity" "me" {}

data "aws_partition" "here" {}

data "aws_region" "here" {}

locals {
  suffix = data.aws_partition.here.dns_suffix
  host   = "${data.aws_caller_identity.me.account_id}.dkr.ecr.${data.aws_region.here.name}.${local.suffix}"
}

resource "aws_ecr_repository" "this" {
  for_each             = toset(var.create ? var.repositories : [])
  name                 = each.key
  image_tag_mutability = "IMMUTABLE"
  force_delete         = var.allow_destroy

  image_scanning_configuration {
    scan_on_push = true
  }

  encryption_configuration {
    encryption_type = "AES256"
  }
}

resource "aws_ecr_lifecycle_policy" "this" {
  for_each   = aws_ecr_repository.this
  repository = each.value.name
  policy = jsonencode({
    rules = [
      {
        rulePriority = 1
        description  = "Untagged images go after a week"
        selection    = { tagStatus = "untagged", countType = "sinceImagePushed", countUnit = "days", countNumber = 7 }
        action       = { type = "expire" }
      },
      {
        rulePriority = 2
        description  = "The last ${var.kept_images} stay"
        selection    = { tagStatus = "any", countType = "imageCountMoreThan", countNumber = var.kept_images }
        action       = { type = "expire" }
      },
    ]
  })
}
