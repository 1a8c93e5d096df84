# Merges of mclust's `hc`, and the partitions that its `Mclust` starts from, for tests/tests/agglomeration.rs.
#
#     Rscript tests/reference/hc.R > tests/reference/mclust/hc.json
#
# Data with ties are given a little noise that the test computes too: which of two equal pairs comes first is rounding.

suppressMessages(library(mclust))

read <- function(name) as.matrix(read.csv(paste0("data/", name, ".csv")))
uniform <- function(i, j) { x <- sin(12.9898 * i + 78.233 * j) * 437.58; x - floor(x) }
noise <- function(n, d) outer(1:n, 1:d, uniform)
jittered <- function(x, size) x + size * noise(nrow(x), ncol(x))
blobs <- function(n, d) noise(n, d) + 0.8 * outer(1:n %% 4, 1:d, function(a, j) (a * j) %% 3)

list_of <- function(x) paste0("[", paste(x, collapse = ","), "]")
entry <- function(name, value) paste0("\"", name, "\":", value)
object <- function(x) paste0("{", paste(mapply(entry, names(x), x), collapse = ",\n"), "}")
merges <- function(x, model, use) {
  # For one column EII has a name of its own in mclust, E.
  h <- hc(x, modelName = if (ncol(x) == 1 && model == "EII") "E" else model, use = use)
  list_of(apply(h - 1, 2, function(pair) list_of(sort(pair))))
}
spherical <- function(x) c(
  VVV_SVD = merges(x, "VVV", "SVD"), EII_SVD = merges(x, "EII", "SVD"), EII_VARS = merges(x, "EII", "VARS")
)
all_merges <- function(x) object(c(spherical(x), VVV_VARS = merges(x, "VVV", "VARS")))
cases <- c(
  iris_jittered = all_merges(jittered(read("iris"), 0.02)),
  # VVV on these as they are is left out: see the README here.
  faithful_jittered = object(spherical(jittered(read("faithful"), 0.02))),
  penguins_jittered = object(spherical(jittered(read("penguins"), 0.02))),
  galaxies_jittered = all_merges(jittered(read("galaxies"), 0.0001)),
  # With ties, which are broken in the same way.
  galaxies = object(c(VVV_SVD = merges(read("galaxies"), "VVV", "SVD"))),
  penguins = object(c(VVV_SVD = merges(read("penguins"), "VVV", "SVD"))),
  sapply(1:6, function(d) all_merges(blobs(60, d)))
)
names(cases)[7:12] <- paste0("blobs", 1:6)

partitions <- function(labels) {
  columns <- apply(labels - 1, 2, function(l) dQuote(paste(l, collapse = ""), FALSE))
  paste0("{", paste(mapply(entry, colnames(labels), columns), collapse = ","), "}")
}
starts <- function(name) partitions(hclass(hc(read(name), modelName = "VVV", use = "SVD"), 2:9))
quantiles <- function(x) {
  labels <- sapply(2:9, function(k) mclust:::qclass(x, k))
  colnames(labels) <- 2:9
  partitions(labels)
}
starts <- c(
  iris = starts("iris"), faithful = starts("faithful"), penguins = starts("penguins"),
  galaxies = quantiles(read("galaxies")[, 1]), faithful_waiting = quantiles(read("faithful")[, 2])
)

cat("{", entry("tool", paste0("\"R ", R.version$major, ".", R.version$minor, " mclust ", packageVersion("mclust"), "\"")),
  ",\n", entry("source", "\"tests/reference/hc.R\""), ",\n", entry("merges", object(cases)), ",\n",
  entry("starts", object(starts)), "}\n", sep = "")
