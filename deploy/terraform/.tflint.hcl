# The rules that tflint carries itself; `make test-terraform` runs it where it is installed.
plugin "terraform" {
  enabled = true
  preset  = "recommended"
}
