//! Image names, content-addressed blobs, pulling, unpacking, the registry server.
