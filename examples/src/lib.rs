//! Examples of embedding the Fleet SDK; see the `examples` folder of this crate.
