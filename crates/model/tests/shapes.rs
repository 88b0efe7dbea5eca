//! The language that says which rows a shape holds.

mod shapes {
    mod equalities;
    mod errors;
    mod postgres;
    mod table;
    mod values;
}
