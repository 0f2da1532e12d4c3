//! The HTTP front: action name to operation, shapes to model, errors to AWS codes.
