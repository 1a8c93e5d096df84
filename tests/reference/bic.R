# BIC of all of mclust's models for 1 to 9 components from the starts that its `Mclust` uses, with its own tolerance and with
# a tight one, for tests/tests/selection.rs. mclust's sign: higher is better; null where mclust gives up.
#
#     Rscript tests/reference/bic.R > tests/reference/mclust/bic.json

suppressMessages(library(mclust))

read <- function(name) as.matrix(read.csv(paste0("data/", name, ".csv")))
number <- function(x) ifelse(is.na(x), "null", format(x, digits = 15))
entry <- function(name, value) paste0("\"", name, "\":", value)
object <- function(x) paste0("{", paste(mapply(entry, names(x), x), collapse = ",\n"), "}")
row <- function(x) paste0("{", paste(mapply(entry, names(x), number(x)), collapse = ","), "}")
table_of <- function(x, control) {
  bic <- mclustBIC(x, G = 1:9, control = control, verbose = FALSE)
  object(setNames(lapply(1:9, function(k) row(setNames(as.numeric(bic[k, ]), colnames(bic)))), 1:9))
}
both <- function(x) object(list(
  default = table_of(x, emControl()),
  tight = table_of(x, emControl(tol = c(1e-12, 1e-10), itmax = c(100000, 1000)))
))

sets <- list(faithful = read("faithful"), iris = read("iris"), penguins = read("penguins"),
  galaxies = read("galaxies")[, 1], faithful_waiting = read("faithful")[, 2])
cat("{", entry("tool", paste0("\"R ", R.version$major, ".", R.version$minor, " mclust ", packageVersion("mclust"), "\"")),
  ",\n", entry("source", "\"tests/reference/bic.R\""), ",\n", entry("bic", object(lapply(sets, both))), "}\n", sep = "")
