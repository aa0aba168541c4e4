"""What users put into their CI: each file and each snippet of docs/ci.md is carried out, as far as one machine can."""
