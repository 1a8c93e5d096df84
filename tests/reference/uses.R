# What mclust makes of fitted mixtures: components merged by entropy (clustCombi), standard errors by the weighted likelihood
# bootstrap (MclustBootstrap), and the sequential bootstrap likelihood-ratio test (mclustBootstrapLRT).
#
# From the root of the repository: Rscript tests/reference/uses.R > tests/reference/mclust/uses.json
suppressMessages(library(mclust))

number <- function(x) ifelse(is.finite(x), formatC(x, digits = 17, format = "g", width = 1), "null")
# Nested lists, the first index outermost.
json <- function(x) {
  if (is.list(x)) return(paste0("{", paste0("\"", names(x), "\": ", sapply(x, json), collapse = ",\n"), "}"))
  if (is.character(x)) return(paste0("\"", x, "\""))
  if (length(dim(x)) > 1) return(paste0("[", paste(apply(x, 1, json), collapse = ", "), "]"))
  if (is.null(dim(x)) && length(x) == 1) return(number(x))
  paste0("[", paste(number(x), collapse = ", "), "]")
}
read <- function(name) as.matrix(read.csv(file.path("data", paste0(name, ".csv"))))
parameters <- function(fit) list(
  weights = as.array(fit$parameters$pro), means = t(fit$parameters$mean),
  covariances = aperm(fit$parameters$variance$sigma, c(3, 1, 2)))

combi <- function(name, k) {
  fit <- Mclust(read(name), G = k, modelNames = "VVV", verbose = FALSE)
  # The probabilities that belong to these parameters; those that EM leaves are a step older.
  fit$z <- estep(modelName = "VVV", data = fit$data, parameters = fit$parameters)$z
  merged <- clustCombi(fit)
  pairs <- t(sapply(k:2, function(g) {
    m <- merged$combiM[[g - 1]]
    which(m[which(rowSums(m) == 2), ] == 1) - 1
  }))
  entropies <- sapply(1:k, function(g) -sum(mclust:::xlog(merged$combiz[[g]])))
  elbow <- clustCombiOptim(merged)
  c(list(data = name), parameters(fit), list(
    merges = pairs, entropies = entropies, elbow = elbow$numClusters.combi, labels = elbow$cluster.combi - 1))
}

set.seed(20141)
fit <- Mclust(read("faithful"), G = 2, modelNames = "VVV", verbose = FALSE)
boot <- MclustBootstrap(fit, nboot = 999, type = "wlbs", verbose = FALSE)
errors <- summary(boot, what = "se")
lrt <- function(model, max) {
  test <- mclustBootstrapLRT(read("faithful"), modelName = model, nboot = 999, maxG = max, verbose = FALSE)
  list(statistics = as.array(test$obs), p_values = as.array(test$p.value))
}
cat(json(list(
  tool = paste("mclust", packageVersion("mclust")),
  source = "tests/reference/uses.R",
  combi = list(iris_k6 = combi("iris", 6), faithful_k4 = combi("faithful", 4), penguins_k8 = combi("penguins", 8)),
  bootstrap = c(list(data = "faithful", replicates = 999), parameters(fit), list(
    weight_errors = as.array(errors$pro), mean_errors = t(errors$mean), covariance_errors = aperm(errors$variance, c(3, 1, 2)))),
  lrt = list(data = "faithful", replicates = 999, full = lrt("VVV", 2), tied = lrt("EEE", 3)))), "\n")
