package org.slotwise.clustering;

import java.util.Random;
import java.util.StringJoiner;
import org.slotwise.clustering.KMeansOptions.Init;
import org.slotwise.internal.Check;
import org.slotwise.torchscript.ScriptModule;

/**
 * {@link KMeans} from seeded starts in TorchScript. All starts of all images run together, S in
 * number, each until it has ended ({@link Lloyd}); the draws of the seed stand in the code.
 *
 * <pre>{@code
 * forward(features) -> members (B, K, N) of the features' type
 * }</pre>
 */
final class KMeansScript {

    private static final String FORWARD =
            """
            def forward(self, features: Tensor) -> Tensor:
              x = torch.detach(features)
              if torch.ne(ops.prim.dtype(x), 7):
                x = torch.to(x, 6)
              b = torch.size(x, 0)
              n = torch.size(x, 1)
              f = torch.size(x, 2)
              x, squares, off, = self.centred(x)
              variance = torch.div(torch.to(torch.sum(squares, [1]), 7), n)
              variance = torch.div(torch.clamp(torch.sub(variance, torch.to(off, 7)), 0), f)
              c = self.starts(x, squares)
              every = torch.reshape(torch.expand(torch.unsqueeze(x, 1), [b, %2$s, n, f]), [-1, n, f])
              tolerance = torch.repeat_interleave(torch.mul(variance, %3$s), %2$s)
              labels, gains, = self.lloyd(every, c, tolerance)
              best = torch.argmax(torch.reshape(gains, [b, %2$s]), 1)
              row = torch.add(best, torch.mul(self.count(best, b), %2$s))
              members = self.members(torch.index_select(labels, 0, row))
              return torch.to(members, ops.prim.dtype(features))
            def count(self, like: Tensor, n: int) -> Tensor:
              return torch.arange(0, n, 1, dtype=4, layout=None, device=ops.prim.device(like), pin_memory=None)
            def members(self, labels: Tensor) -> Tensor:
              k = torch.reshape(self.count(labels, %1$s), [1, %1$s, 1])
              return torch.eq(torch.unsqueeze(labels, 1), k)
            """;

    /** {@link CentredFeatures}; and the squared distance from the origin to the mean. */
    private static final String CENTRED =
            """
            def sample(self, x: Tensor) -> Tensor:
              n = torch.size(x, 1)
              step = ops.prim.max(1, torch.floordiv(n, %1$s))
              some, _0, = torch.sort(torch.slice(x, 1, 0, n, step), 1, False)
              return torch.select(some, 1, torch.floordiv(torch.size(some, 1), 2))
            def centred(self, given: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
              mean = torch.mean(given, [1], True)
              x = torch.sub(given, mean)
              squares = torch.sum(torch.mul(x, x), [2])
              limit = torch.mul(self.sample(squares), %2$s)
              far = torch.gt(torch.mean(squares, [1]), limit)
              off = torch.zeros_like(limit)
              if bool(torch.any(far)):
                chosen = torch.reshape(torch.to(far, ops.prim.dtype(x)), [-1, 1, 1])
                median = torch.unsqueeze(self.sample(given), 1)
                way = torch.mul(torch.sub(median, mean), chosen)
                x = torch.sub(given, torch.add(mean, way))
                squares = torch.sum(torch.mul(x, x), [2])
                off = torch.sum(torch.mul(way, way), [1, 2])
              return (x, squares, off)
            """;

    /** {@link InitialCenters}, which has the equations, with S L trials for each further centre. */
    private static final String STARTS =
            """
            def distances(self, x: Tensor, squares: Tensor, row: Tensor) -> Tensor:
              b = torch.size(x, 0)
              at = torch.reshape(row, [-1])
              c = torch.index_select(torch.reshape(x, [-1, torch.size(x, 2)]), 0, at)
              c = torch.reshape(c, [b, -1, torch.size(x, 2)])
              d = torch.matmul(torch.mul(c, -2), torch.transpose(x, 1, 2))
              own = torch.index_select(torch.reshape(squares, [-1]), 0, at)
              return torch.add(torch.add(d, torch.unsqueeze(squares, 1)), torch.reshape(own, [b, -1, 1]))
            def starts(self, x: Tensor, squares: Tensor) -> Tensor:
              b = torch.size(x, 0)
              n = torch.size(x, 1)
              u = torch.tensor([%3$s], dtype=ops.prim.dtype(x), device=ops.prim.device(x))
              u = torch.reshape(u, [1, %2$s, -1])
              first = torch.unsqueeze(torch.mul(self.count(x, b), n), 1)
              last = torch.sub(n, 1)
              row = torch.to(torch.mul(torch.select(u, 2, 0), n), 4)
              row = torch.add(torch.clamp(row, None, last), first)
              chosen = annotate(List[Tensor], [row])
              closest = torch.clamp(self.distances(x, squares, row), 0)
              for k in range(%5$s):
                begin = torch.add(1, torch.mul(k, %4$s))
                draw = torch.slice(u, 2, begin, torch.add(begin, %4$s), 1)
                upto = torch.cumsum(closest, 2)
                threshold = torch.mul(draw, torch.slice(upto, 2, last, n, 1))
                over = torch.sub(torch.unsqueeze(upto, 2), torch.unsqueeze(threshold, 3))
                sides = torch.sum(torch.sign(over), [3])
                below = torch.to(torch.mul(torch.rsub(sides, n), 0.5), 4)
                tried = torch.add(torch.clamp(below, None, last), torch.unsqueeze(first, 2))
                d = self.distances(x, squares, torch.reshape(tried, [b, -1]))
                d = torch.reshape(d, [b, %2$s, %4$s, n])
                d = torch.minimum(d, torch.unsqueeze(closest, 2))
                best = torch.unsqueeze(torch.argmin(torch.sum(d, [3]), 2), 2)
                _0 = torch.append(chosen, torch.squeeze(torch.gather(tried, 2, best), 2))
                at = torch.expand(torch.unsqueeze(best, 3), [b, %2$s, 1, n])
                closest = torch.clamp(torch.squeeze(torch.gather(d, 2, at), 2), 0)
              rows = torch.reshape(torch.stack(chosen, 2), [-1])
              f = torch.size(x, 2)
              return torch.reshape(torch.index_select(torch.reshape(x, [-1, f]), 0, rows), [-1, %1$s, f])
            """;

    /** {@link Lloyd}, and of {@link EmptiedClusters} what comes next. */
    private static final String LLOYD =
            """
            def scores(self, x: Tensor, c: Tensor) -> Tensor:
              half = torch.mul(torch.sum(torch.mul(c, c), [2], True), 0.5)
              return torch.sub(torch.matmul(c, torch.transpose(x, 1, 2)), half)
            def lloyd(self, x: Tensor, initial: Tensor, tolerance: Tensor) -> Tuple[Tensor, Tensor]:
              c = initial
              moved = torch.zeros_like(tolerance)
              gains = torch.zeros_like(tolerance)
              ended = torch.ne(gains, 0)
              previous = torch.sub(torch.argmax(self.scores(x, c), 1), %1$s)
              found = previous
              t = 1
              going = True
              while going:
                scores = self.scores(x, c)
                labels = torch.argmax(scores, 1)
                highest = torch.gather(scores, 1, torch.unsqueeze(labels, 1))
                gain = torch.sum(torch.to(highest, 7), [1, 2])
                same = torch.all(torch.eq(labels, previous), 1)
                if torch.gt(t, %2$s):
                  before = torch.logical_not(torch.ne(tolerance, tolerance))
                else:
                  before = torch.logical_and(torch.le(moved, tolerance), torch.gt(torch.add(torch.zeros_like(moved), t), 1))
                next, repaired, odd, = self.centers(x, labels, c)
                moved = torch.sum(torch.pow(torch.to(torch.sub(next, c), 7), 2), [1, 2])
                now = torch.logical_and(same, torch.logical_not(before))
                gain = torch.where(torch.logical_and(now, odd), repaired, gain)
                ends = torch.logical_and(torch.logical_or(before, same), torch.logical_not(ended))
                found = torch.where(torch.unsqueeze(ends, 1), labels, found)
                gains = torch.where(ends, gain, gains)
                ended = torch.logical_or(ended, ends)
                going = torch.__not__(bool(torch.all(ended)))
                c = next
                previous = labels
                t = torch.add(t, 1)
              return (found, gains)
            def centers(self, x: Tensor, labels: Tensor, old: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
              nearest = torch.to(self.members(labels), ops.prim.dtype(x))
              offset = torch.sub(x, torch.matmul(torch.transpose(nearest, 1, 2), old))
              far, places, = torch.topk(torch.sum(torch.mul(offset, offset), [2]), %1$s, 1, True, True)
              full = torch.to(torch.gt(torch.sum(nearest, [2]), 0), 4)
              empty = torch.sum(torch.rsub(full, 1), [1], True)
              moving = torch.mul(empty, torch.to(torch.gt(torch.slice(far, 1, 0, 1, 1), 0), 4))
              i = torch.unsqueeze(self.count(labels, %1$s), 0)
              order = torch.argsort(torch.add(torch.mul(full, %1$s), i), 1)
              target = torch.where(torch.lt(i, moving), order, torch.gather(labels, 1, places))
              own = torch.to(self.members(torch.scatter(labels, 1, places, target)), ops.prim.dtype(x))
              count = torch.sum(own, [2], True)
              total = torch.matmul(own, x)
              mean = torch.mul(total, torch.reciprocal(torch.clamp(count, 1)))
              largest = torch.unsqueeze(torch.argmax(count, 1), 2)
              row = torch.expand(largest, [-1, -1, torch.size(x, 2)])
              comes = torch.lt(torch.unsqueeze(i, 2), largest)
              other = torch.where(comes, torch.gather(total, 1, row), torch.gather(mean, 1, row))
              next = torch.where(torch.lt(count, 1), other, mean)
              gain = torch.sum(torch.to(torch.mul(self.scores(x, next), nearest), 7), [1, 2])
              return (next, gain, torch.gt(torch.squeeze(empty, 1), 0))
            """;

    private KMeansScript() {}

    /**
     * The equations.
     *
     * @param who who complains
     * @param clusters K
     * @param options how; seeded, with starts of k-means++
     */
    static ScriptModule of(String who, int clusters, KMeansOptions options) {
        Long seed = options.seed();
        if (seed == null) {
            throw new IllegalArgumentException(
                    who + ": k-means without a seed cannot be written in TorchScript");
        }
        Check.option(
                options.init() == Init.K_MEANS_PLUS_PLUS,
                who + ": starts at random cannot be written in TorchScript");
        Check.option(
                options.sample() == 0,
                who + ": starts on a sample cannot be written in TorchScript");
        Check.option(
                options.relaxation() == 1, who + ": relaxation cannot be written in TorchScript");
        int trials = InitialCenters.trials(clusters);
        int starts = options.nInit();
        int count = Math.multiplyExact(starts, 1 + (clusters - 1) * trials);
        Random random = new Random(seed);
        StringJoiner draws = new StringJoiner(", ");
        for (int i = 0; i < count; i++) {
            draws.add(Double.toString(random.nextFloat()));
        }
        return ScriptModule.builder("KMeans")
                .setCode(
                        FORWARD.formatted(clusters, starts, Double.toString(options.tol()))
                                + CENTRED.formatted(CentredFeatures.SAMPLE, CentredFeatures.FAR)
                                + STARTS.formatted(clusters, starts, draws, trials, clusters - 1)
                                + LLOYD.formatted(clusters, options.maxIter()))
                .build();
    }
}
