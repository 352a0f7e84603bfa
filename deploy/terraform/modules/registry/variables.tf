variable "repositories" {
  description = "Names of the image repositories."
  type        = list(string)
}

variable "create" {
  description = "Whether to make them; false where another environment of the account has."
  type        = bool
}

variable "kept_images" {
  description = "Tagged images kept in each repository."
  type        = number
}

variable "allow_destroy" {
  description = "Whether destroy may take repositories that hold images."
  type        = bool
}
