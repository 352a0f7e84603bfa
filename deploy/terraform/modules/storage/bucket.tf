locals {
  bucket = "${var.name}-lake-${data.aws_caller_identity.me.account_id}"

  # Plain HTTP is refused, whoever asks.
  tls_only = { for name, arn in { lake = aws_s3_bucket.lake.arn, logs = aws_s3_bucket.logs.arn } : name => {
    Sid       = "TlsOnly"
    Effect    = "Deny"
    Principal = { AWS = "*" }
    Action    = "s3:*"
    Resource  = [arn, "${arn}/*"]
    Condition = { Bool = { "aws:SecureTransport" = "false" } }
  } }
}

resource "aws_s3_bucket" "lake" {
  bucket        = local.bucket
  force_destroy = var.allow_destroy
}

resource "aws_s3_bucket_versioning" "lake" {
  bucket = aws_s3_bucket.lake.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "lake" {
  bucket = aws_s3_bucket.lake.id

  rule {
    # One request to KMS for many objects.
    bucket_key_enabled = true
    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = aws_kms_key.data.arn
    }
  }
}

resource "aws_s3_bucket_public_access_block" "closed" {
  for_each                = { lake = aws_s3_bucket.lake.id, logs = aws_s3_bucket.logs.id }
  bucket                  = each.value
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "no_acls" {
  for_each = { lake = aws_s3_bucket.lake.id, logs = aws_s3_bucket.logs.id }
  bucket   = each.value

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

# No rule takes a current object: what is current is for Delta's log to say. What `lake vacuum` deletes stays as
# an old version for these days, and so does a forgotten tweet.
resource "aws_s3_bucket_lifecycle_configuration" "lake" {
  bucket = aws_s3_bucket.lake.id

  rule {
    id     = "lake-old-versions"
    status = "Enabled"
    filter {
      prefix = "lake/"
    }
    noncurrent_version_expiration {
      noncurrent_days = var.lake_noncurrent_days
    }
    expiration {
      expired_object_delete_marker = true
    }
  }

  dynamic "rule" {
    for_each = toset(["models", "pipelines"])
    content {
      id     = "${rule.key}-old-versions"
      status = "Enabled"
      filter {
        prefix = "${rule.key}/"
      }
      noncurrent_version_expiration {
        noncurrent_days = var.model_noncurrent_days
      }
      expiration {
        expired_object_delete_marker = true
      }
    }
  }

  rule {
    id     = "unfinished-uploads"
    status = "Enabled"
    filter {}
    abort_incomplete_multipart_upload {
      days_after_initiation = 2
    }
  }

  depends_on = [aws_s3_bucket_versioning.lake]
}

resource "aws_s3_bucket_policy" "lake" {
  bucket     = aws_s3_bucket.lake.id
  policy     = jsonencode({ Version = "2012-10-17", Statement = [local.tls_only.lake] })
  depends_on = [aws_s3_bucket_public_access_block.closed]
}

resource "aws_s3_bucket_logging" "lake" {
  bucket        = aws_s3_bucket.lake.id
  target_bucket = aws_s3_bucket.logs.id
  target_prefix = "s3/"
  depends_on    = [aws_s3_bucket_policy.logs]
}

resource "aws_s3_bucket" "logs" {
  bucket        = "${var.name}-logs-${data.aws_caller_identity.me.account_id}"
  force_destroy = var.allow_destroy
}

# S3 cannot deliver access logs into a bucket encrypted with a key of KMS.
resource "aws_s3_bucket_server_side_encryption_configuration" "logs" {
  bucket = aws_s3_bucket.logs.id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "logs" {
  bucket = aws_s3_bucket.logs.id

  rule {
    id     = "old-logs"
    status = "Enabled"
    filter {}
    expiration {
      days = var.log_days
    }
  }
}

resource "aws_s3_bucket_policy" "logs" {
  bucket = aws_s3_bucket.logs.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [local.tls_only.logs, {
      Sid       = "AccessLogs"
      Effect    = "Allow"
      Principal = { Service = "logging.s3.amazonaws.com" }
      Action    = "s3:PutObject"
      Resource  = "${aws_s3_bucket.logs.arn}/s3/*"
      Condition = {
        ArnLike      = { "aws:SourceArn" = aws_s3_bucket.lake.arn }
        StringEquals = { "aws:SourceAccount" = data.aws_caller_identity.me.account_id }
      }
    }]
  })
  depends_on = [aws_s3_bucket_public_access_block.closed]
}
