//! The functions of SQL: what a model says of rows, and one step of its fit over a table.
//!
//! In a query a function's first argument is the name of a model. Where the query is planned, that name gives way to the model
//! itself, within the function, and so it travels to whichever machine the function runs on.

use crate::error::TableError;
use crate::gather::{Gather, numeric};
use crate::models::{Answer, Model, Models};
use crate::pass::{Parcel, Pass};
use crate::rows::Columns;
use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::common::{Result, plan_err};
use datafusion::logical_expr::expr::{AggregateFunction, ScalarFunction};
use datafusion::logical_expr::function::{AccumulatorArgs, AggregateFunctionSimplification};
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl,
    Signature,
};
use datafusion::scalar::ScalarValue;
use std::sync::Arc;

/// A function of the name of a model and some columns, before that name is looked up.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct Named {
    name: &'static str,
    signature: Signature,
    models: Models,
}

/// The scalar functions by name, which begins with the kind of model that they take, and what they answer.
const SCALARS: [(&str, Answer); 4] = [
    ("kmeans_predict", Answer::Label),
    ("gmm_predict", Answer::Label),
    ("gmm_log_density", Answer::LogDensity),
    ("gmm_proba", Answer::Probabilities),
];

/// The scalar functions over these models.
pub(crate) fn scalars(models: &Models) -> impl Iterator<Item = ScalarUDF> {
    SCALARS.iter().map(|(name, _)| ScalarUDF::new_from_impl(Named::new(name, models)))
}

/// The aggregate functions over these models.
pub(crate) fn aggregates(models: &Models) -> impl Iterator<Item = AggregateUDF> {
    ["kmeans_step", "gmm_step"].into_iter().map(|name| AggregateUDF::new_from_impl(Named::new(name, models)))
}

impl Named {
    fn new(name: &'static str, models: &Models) -> Self {
        Self { name, signature: numeric(), models: models.clone() }
    }

    /// The model that the first of these arguments names, and the other arguments.
    fn model(&self, args: Vec<Expr>) -> Result<(Model, Vec<Expr>)> {
        let mut args = args.into_iter();
        let name = match args.next() {
            Some(Expr::Literal(ScalarValue::Utf8(Some(name)) | ScalarValue::Utf8View(Some(name)), _)) => name,
            _ => return plan_err!("the first argument of {} must be the name of a model, such as 'iris'", self.name),
        };
        let model = self.models.get(&name)?;
        let kind = model.predictor().kind();
        if !self.name.starts_with(kind) {
            return plan_err!("{} does not take the model '{name}', which is {kind}", self.name);
        }
        Ok((model, args.collect()))
    }
}

/// How the columns of these expressions are called.
fn names(columns: &[Expr]) -> Vec<String> {
    columns.iter().map(|column| column.schema_name().to_string()).collect()
}

fn answer_type(answer: Answer) -> DataType {
    match answer {
        Answer::Label => DataType::Int64,
        Answer::LogDensity => DataType::Float64,
        Answer::Probabilities => DataType::List(Arc::new(Field::new_list_field(DataType::Float64, true))),
    }
}

impl ScalarUDFImpl for Named {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        let answer = SCALARS.iter().find(|(name, _)| *name == self.name).map(|(_, answer)| *answer);
        answer.map_or_else(|| plan_err!("{} is no scalar function", self.name), |answer| Ok(answer_type(answer)))
    }

    fn invoke_with_args(&self, _: ScalarFunctionArgs) -> Result<ColumnarValue> {
        plan_err!("{} needs DataFusion's optimizer, which looks its model up", self.name)
    }

    fn simplify(&self, args: Vec<Expr>, _: &SimplifyContext) -> Result<ExprSimplifyResult> {
        let Some((_, answer)) = SCALARS.iter().find(|(name, _)| *name == self.name) else {
            return Ok(ExprSimplifyResult::Original(args));
        };
        let (model, columns) = self.model(args)?;
        let score = Score {
            name: self.name.to_string(),
            signature: numeric(),
            answer: *answer,
            columns: Columns { names: names(&columns), weight: None, missing: model.predictor().takes_missing() },
            model,
        };
        score.check()?;
        let function = Arc::new(ScalarUDF::new_from_impl(score));
        Ok(ExprSimplifyResult::Simplified(Expr::ScalarFunction(ScalarFunction::new_udf(function, columns))))
    }
}

impl AggregateUDFImpl for Named {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Binary)
    }

    fn accumulator(&self, _: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        plan_err!("{} needs DataFusion's optimizer, which looks its model up", self.name)
    }

    fn simplify(&self) -> Option<AggregateFunctionSimplification> {
        let named = Self { name: self.name, signature: self.signature.clone(), models: self.models.clone() };
        Some(Box::new(move |mut function: AggregateFunction, _: &SimplifyContext| {
            let (model, columns) = named.model(std::mem::take(&mut function.params.args))?;
            let mut names = names(&columns);
            // One column more than the model has holds weights.
            let weight = (names.len() == model.predictor().n_features() + 1).then(|| names.pop()).flatten();
            let read = Columns { names, weight, missing: model.predictor().sums_missing() };
            check_width(&model, &read)?;
            let pass = Pass { task: model.predictor().step()?, columns: read };
            function.func = Arc::new(Gather::function(named.name, Arc::new(Parcel::pack(pass)?)));
            function.params.args = columns;
            Ok(Expr::AggregateFunction(function))
        }))
    }
}

fn check_width(model: &Model, columns: &Columns) -> Result<(), TableError> {
    let (expected, got) = (model.predictor().n_features(), columns.width());
    if expected == got { Ok(()) } else { Err(TableError::ColumnCount { expected, got }) }
}

/// A scalar function with its model.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct Score {
    name: String,
    signature: Signature,
    answer: Answer,
    columns: Columns,
    model: Model,
}

impl Score {
    fn check(&self) -> Result<(), TableError> {
        check_width(&self.model, &self.columns)
    }

    /// What is sent to where it runs.
    pub(crate) fn bytes(&self) -> Result<Vec<u8>, TableError> {
        crate::pass::encode(&(self.answer, &self.columns, self.model.document()))
    }

    /// The function of this name that these bytes are.
    pub(crate) fn from_bytes(name: &str, bytes: &[u8]) -> Result<Self, TableError> {
        let (answer, columns, document): (Answer, Columns, Vec<u8>) = crate::pass::decode(bytes)?;
        let model = Model::from_document(&document)?;
        Ok(Self { name: name.to_string(), signature: numeric(), answer, columns, model })
    }
}

impl ScalarUDFImpl for Score {
    fn name(&self) -> &str {
        &self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(answer_type(self.answer))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        Ok(ColumnarValue::Array(self.model.predictor().answer(self.answer, &self.columns, &arrays)?))
    }
}
