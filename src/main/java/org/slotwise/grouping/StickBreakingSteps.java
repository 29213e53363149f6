package org.slotwise.grouping;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import java.util.Arrays;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.stream.Collectors;
import org.slotwise.internal.Script;

/**
 * The steps of stick-breaking, centre after centre, without a graph: one call of the engine in
 * place of a dozen and a half for each centre.
 *
 * @param chosen which features became centres, (B, centres) int64
 * @param logAlphas the logarithm of the share of the rest that each piece takes, (B, K, N)
 * @param logScopes the logarithm of the rest before each piece, (B, K, N)
 */
record StickBreakingSteps(NDArray chosen, NDArray logAlphas, NDArray logScopes) {

    /** By kernel, since an expression is compiled once: a function for each, of its name. */
    private static final Script SCRIPT =
            new Script(
                    Arrays.stream(Kernel.values())
                            .map(StickBreakingSteps::function)
                            .collect(Collectors.joining()));

    private static final ConcurrentMap<Options, NDArray> OPTIONS = new ConcurrentHashMap<>();

    /** What does not change from call to call, as the script takes it. */
    private record Options(
            double eps, double rounding, boolean normalised, int centres, int pieces) {

        NDArray numbers() {
            // Points of norm 1: ||c||² + ||p||² = 2, and one threshold serves all.
            double threshold = normalised ? 2 * rounding : rounding;
            return Script.constant(
                    eps, Math.log(eps), threshold, normalised ? 1 : 0, centres, pieces);
        }
    }

    private static String function(Kernel kernel) {
        return """
                def %s(self: __torch__.Script,
                  y: Tensor,
                  norms: Tensor,
                  norm2: Tensor,
                  uniform: Tensor,
                  minus_var: Tensor,
                  options: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
                  eps = float(torch.select(options, 0, 0))
                  log_eps = float(torch.select(options, 0, 1))
                  rounding = float(torch.select(options, 0, 2))
                  normalised = bool(torch.select(options, 0, 3))
                  centres = int(torch.select(options, 0, 4))
                  pieces = int(torch.select(options, 0, 5))
                """
                        .formatted(kernel.name())
                + body(kernel);
    }

    /**
     * The steps in TorchScript: the rest of a function of y, norms, norm2, uniform, minus_var, eps,
     * log_eps, rounding, normalised, centres and pieces.
     */
    static String body(Kernel kernel) {
        return """
                  chosen = annotate(List[Tensor], [])
                  log_alphas = annotate(List[Tensor], [])
                  log_scopes = annotate(List[Tensor], [])
                  log_seeds = torch.log(torch.clamp_min(uniform, eps))
                  certain = torch.zeros_like(log_seeds)
                  images = torch.size(y, 0)
                  size = torch.size(y, 1)
                  table = torch.reshape(y, [images * size, torch.size(y, 2)])
                  columns = torch.transpose(y, 1, 2)
                  first = torch.arange(0, images * size, size, dtype=None, layout=None, device=ops.prim.device(y), pin_memory=None)
                  log_scope = certain
                  for k in range(centres):
                    choice = torch.argmax(torch.add(log_scope, log_seeds), 1)
                    row = torch.add(choice, first)
                    norm = torch.index_select(torch.reshape(norms, [-1]), 0, row)
                    c = torch.div(torch.index_select(table, 0, row), torch.unsqueeze(norm, 1))
                    c2 = torch.index_select(torch.reshape(norm2, [-1]), 0, row)
                    sums = torch.add(norm2, torch.unsqueeze(c2, 1))
                    dots = torch.squeeze(torch.bmm(torch.unsqueeze(c, 1), columns), 1)
                    differences = torch.sub(sums, torch.div(dots, norms), alpha=2)
                    if normalised:
                      squares = torch.threshold(differences, rounding, 0)
                    else:
                      equal = torch.le(differences, torch.mul(sums, rounding))
                      squares = torch.masked_fill(differences, equal, 0)
                    log_alpha = %s
                    left = torch.clamp_min(torch.rsub(torch.exp(log_alpha), 1), eps)
                    _0 = torch.append(chosen, choice)
                    _1 = torch.append(log_alphas, log_alpha)
                    _2 = torch.append(log_scopes, log_scope)
                    log_scope = torch.add(log_scope, torch.log(left))
                  if torch.gt(pieces, centres):
                    _3 = torch.append(log_alphas, certain)
                    _4 = torch.append(log_scopes, log_scope)
                  if torch.eq(centres, 0):
                    _5 = torch.append(chosen, torch.argmax(log_seeds, 1))
                  return (torch.stack(chosen, 1), torch.stack(log_alphas, 1), torch.stack(log_scopes, 1))
                """
                .formatted(kernel.script());
    }

    /**
     * Takes the steps.
     *
     * @param y what the features were projected to, (B, N, F)
     * @param norms what y is divided by to get the points that are compared, (B, N)
     * @param normalised whether that gives them norm 1, where y is not zero
     * @param squares the points' squared norms, (B, N)
     * @param uniform the draw U, (B, N)
     * @param kernel how alphas follow from distances
     * @param minusKernelVar the kernel's variance less its sign, ()
     * @param eps the least value of U, of alphas and of what they leave
     * @param rounding which share of ||c||² + ||p||² rounding may leave of ||c - p||² where c = p
     * @param centres how many, 0 or more
     * @param pieces as many as centres, or one more: the rest
     */
    static StickBreakingSteps take(
            NDArray y,
            NDArray norms,
            boolean normalised,
            NDArray squares,
            NDArray uniform,
            Kernel kernel,
            NDArray minusKernelVar,
            double eps,
            double rounding,
            int centres,
            int pieces) {
        Options options = new Options(eps, rounding, normalised, centres, pieces);
        NDArray numbers = OPTIONS.computeIfAbsent(options, Options::numbers);
        NDList found =
                SCRIPT.call(kernel.name(), y, norms, squares, uniform, minusKernelVar, numbers);
        return new StickBreakingSteps(found.get(0), found.get(1), found.get(2));
    }
}
