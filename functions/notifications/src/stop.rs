//! Who is left alone.
