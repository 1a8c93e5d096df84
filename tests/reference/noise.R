# Mixtures with a noise component by mclust, for the tests: Rscript tests/reference/noise.R, from the repository's root.
#
# Real data with rows added that are spread evenly over a box twice as wide as the data. mclust::me from a start partition
# (hierarchical on the real rows, the added rows as noise), to a tight tolerance.
suppressMessages({ library(mclust); library(jsonlite) })

numbers <- function(x) I(unname(x))

fit <- function(X, z, model, Vinv, equalPro = FALSE) {
  control <- emControl(tol = c(1e-13, 1e-13), itmax = c(20000, 20000), equalPro = equalPro, eps = 0)
  r <- me(X, modelName = model, z = z, Vinv = Vinv, control = control)
  G <- ncol(z) - 1
  noise <- r$parameters$pro[G + 1]
  list(loglik = r$loglik, weights = numbers(r$parameters$pro[1:G]), noise = noise, Vinv = r$parameters$Vinv,
       means = unname(t(r$parameters$mean)), cov = unname(aperm(r$parameters$variance$sigma, c(3, 1, 2))),
       n_parameters = nMclustParams(model, ncol(X), G, noise = TRUE, equalPro = equalPro),
       labels = numbers(max.col(r$z, ties.method = "first") - 1))
}

record <- function(name, G, added, seed) {
  X <- as.matrix(read.csv(file.path("data", paste0(name, ".csv"))))
  set.seed(seed)
  box <- apply(X, 2, range)
  outliers <- sapply(seq_len(ncol(X)), function(j) round(runif(added, 1.5 * box[1, j] - 0.5 * box[2, j],
                                                               1.5 * box[2, j] - 0.5 * box[1, j]), 3))
  start <- c(hclass(hc(X, "VVV", use = "SVD"), G), rep(G + 1, added))
  X <- rbind(X, outliers)
  z <- unmap(start)
  Vinv <- hypvol(X, reciprocal = TRUE)
  models <- c("EII", "VII", "EEI", "VVI", "EEE", "VVV")
  fits <- sapply(models, function(m) fit(X, z, m, Vinv), simplify = FALSE)
  given <- list(VVV = fit(X, z, "VVV", Vinv / 3))
  list(G = G, outliers = unname(outliers), start_labels = numbers(start - 1), hypvol = hypvol(X),
       me = fits, me_third_of_Vinv = given, me_equal_pro = list(EEE = fit(X, z, "EEE", Vinv, TRUE)))
}

out <- list(tool = paste("R", getRversion(), "mclust", packageVersion("mclust")), source = "mclust::me with Vinv",
            faithful = record("faithful", 2, 20, 1), iris = record("iris", 3, 12, 2))
writeLines(toJSON(out, digits = 16, auto_unbox = TRUE, matrix = "rowmajor"), "tests/reference/mclust/noise.json")
