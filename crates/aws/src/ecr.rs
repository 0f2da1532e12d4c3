//! Request and response shapes of Amazon ECR.
