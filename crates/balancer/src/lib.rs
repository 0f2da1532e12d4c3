//! The load balancer's data plane: listeners, target choice, health checks, on pingora.
