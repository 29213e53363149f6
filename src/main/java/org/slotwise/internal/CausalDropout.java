package org.slotwise.internal;

import ai.djl.ndarray.NDArray;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;

/**
 * Attention of places to themselves and those before them, with some of it dropped.
 *
 * <p>Places look in pieces of {@link #PIECE}: what lies after a piece is neither scored nor kept,
 * which is nearly half of everything for four pieces, and what is computed at a time stays in the
 * processor's caches. The last piece comes first, so that each has a part of the keys of the one
 * before, and gradients of parts are no larger than these. Operation by operation, so that a step
 * is the same to the last bit each time.
 */
public final class CausalDropout {

    /** How many places look at a time. */
    private static final int PIECE = 64;

    private CausalDropout() {}

    /** The script, loaded at the first use. */
    private static final class Loaded {
        static final Script SCRIPT =
                Script.plain(
                        DropoutDraw.FUNCTION
                                + """
                        def split(self: __torch__.Script, x: Tensor, h: int) -> Tensor:
                          b = torch.size(x, 0)
                          n = torch.size(x, 1)
                          e = torch.floordiv(torch.size(x, 2), h)
                          y = torch.transpose(torch.reshape(x, [b, n, h, e]), 1, 2)
                          return torch.reshape(y, [torch.mul(b, h), n, e])
                        def attention(self: __torch__.Script,
                          q: Tensor,
                          k: Tensor,
                          v: Tensor,
                          mask: Tensor,
                          heads: Tensor,
                          least: Tensor) -> Tensor:
                          h = int(heads)
                          piece = %s
                          b = torch.size(q, 0)
                          n = torch.size(q, 1)
                          d = torch.size(q, 2)
                          rows = torch.mul(b, h)
                          draws = torch.eq(torch.numel(mask), 0)
                          scale = torch.pow(torch.floordiv(d, h), -0.5)
                          qs = torch.split((self).split(torch.mul(q, scale), h), piece, 1)
                          ks = torch.transpose((self).split(k, h), 1, 2)
                          vs = (self).split(v, h)
                          place = torch.arange(n, dtype=4, device=ops.prim.device(q))
                          parts = annotate(List[Tensor], [])
                          pieces = torch.len(qs)
                          for j in range(pieces):
                            i = torch.sub(torch.sub(pieces, j), 1)
                            start = torch.mul(i, piece)
                            size = torch.size(qs[i], 1)
                            end = torch.add(start, size)
                            if torch.lt(end, n):
                              ks = torch.slice(ks, 2, 0, end)
                              vs = torch.slice(vs, 1, 0, end)
                            own = torch.unsqueeze(torch.slice(place, 0, start, end), 1)
                            later = torch.gt(torch.slice(place, 0, 0, end), own)
                            unseen = torch.zeros([1, size, end], dtype=ops.prim.dtype(q), device=ops.prim.device(q))
                            unseen = torch.masked_fill_(unseen, later, -inf)
                            a = torch.softmax(torch.baddbmm(unseen, qs[i], ks), -1)
                            if draws:
                              count = torch.mul(torch.mul(rows, size), end)
                              kept = torch.reshape((self).kept(q, count, int(least)), [rows, size, end])
                              m = torch.to(kept, ops.prim.dtype(q))
                            else:
                              ms = torch.reshape(mask, [rows, n, n])
                              m = torch.slice(torch.slice(ms, 1, start, end), 2, 0, end)
                            y = torch.bmm(torch.mul(a, m), vs)
                            torch.insert(parts, 0, y)
                          y = torch.reshape(torch.cat(parts, 1), [b, h, n, torch.floordiv(d, h)])
                          return torch.reshape(torch.transpose(y, 1, 2), [b, n, d])
                        """
                                        .formatted(PIECE));

        static final ConcurrentMap<Integer, NDArray> HEADS = new ConcurrentHashMap<>();

        /** In place of a mask: what is kept is drawn. */
        static final NDArray NONE = Script.constant();
    }

    /**
     * Attends.
     *
     * @param q queries (B, N, D), D a multiple of the heads
     * @param k keys (B, N, D)
     * @param v values (B, N, D)
     * @param kept what the weights are multiplied by, (B, H, N, N), BOOLEAN or of the type of q
     * @param heads H
     * @return (B, N, D)
     */
    public static NDArray attention(NDArray q, NDArray k, NDArray v, NDArray kept, int heads) {
        return call(q, k, v, kept, heads, 0);
    }

    /**
     * Attends, with a draw of what is kept.
     *
     * @param q queries (B, N, D), D a multiple of the heads
     * @param k keys (B, N, D)
     * @param v values (B, N, D)
     * @param rate how much of the weights is dropped, for which {@link DropoutDraw#isFine} holds
     * @param heads H
     * @return (B, N, D), not scaled for what is missing
     */
    public static NDArray drawn(NDArray q, NDArray k, NDArray v, double rate, int heads) {
        return call(q, k, v, Loaded.NONE, heads, rate);
    }

    private static NDArray call(
            NDArray q, NDArray k, NDArray v, NDArray kept, int heads, double rate) {
        NDArray setting = Loaded.HEADS.computeIfAbsent(heads, Script::constant);
        NDArray least = DropoutDraw.setting(rate);
        return Loaded.SCRIPT.call("attention", q, k, v, kept, setting, least).singletonOrThrow();
    }
}
