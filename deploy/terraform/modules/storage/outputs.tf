output "bucket" {
  description = "Name of the bucket."
  value       = aws_s3_bucket.lake.id
}

output "bucket_arn" {
  description = "The bucket, for policies."
  value       = aws_s3_bucket.lake.arn
}

output "data_key_arn" {
  description = "The key that encrypts the data."
  value       = aws_kms_key.data.arn
}

output "file_system_id" {
  description = "Id of the EFS file system."
  value       = aws_efs_file_system.this.id
}

output "access_point_id" {
  description = "Id of the access point of the lake."
  value       = aws_efs_access_point.lake.id
}
