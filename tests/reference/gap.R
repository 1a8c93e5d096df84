# The gap statistic of clusGap (R package cluster), with squared distances as in the paper.
#
# From the root of the repository: Rscript tests/reference/gap.R > tests/reference/rkmeans/gap.json
suppressMessages(library(cluster))
set.seed(1)
read <- function(name) as.matrix(read.csv(file.path("data", paste0(name, ".csv"))))
list_of <- function(x) paste0("[", paste(formatC(x, digits = 17, format = "g", width = 1), collapse = ", "), "]")
gap <- function(name, space) {
  table <- clusGap(read(name), kmeans, K.max = 6, B = 300, d.power = 2, spaceH0 = space, verbose = FALSE,
                   nstart = 50, iter.max = 100)$Tab
  # W is half the inertia.
  paste0("\"", space, "\": {\"gap\": ", list_of(table[, "gap"]), ", \"se\": ", list_of(table[, "SE.sim"]),
         ", \"log_inertia\": ", list_of(table[, "logW"] + log(2)), "}")
}
of <- function(name) paste0("\"", name, "\": {", gap(name, "scaledPCA"), ",\n", gap(name, "original"), "}")
cat("{\"tool\": \"R ", as.character(getRversion()), ", cluster ", as.character(packageVersion("cluster")),
    "\", \"source\": \"clusGap, 300 reference sets, 1 to 6 clusters\",\n", of("iris"), ",\n", of("faithful"), "}\n", sep = "")
