package org.slotwise.gnm;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Scalars;
import org.slotwise.internal.Script;
import org.slotwise.torchscript.ScriptModule;

/**
 * Draws a scene of cells. Everything that is pasted with one grid lies side by side as channels:
 * one paste in place of the original's four.
 *
 * <pre>{@code
 * ah = a z;   i = paste(ah sigmoid(-depth))
 * fg = sum over cells of paste(ah o) i / (sum over cells of i + 1e-15)
 * A  = sum over cells of paste(ah), clamped to [1e-15, 1 - 1e-15] in value, not in gradient
 * y  = fg + (1 - A) background
 * }</pre>
 *
 * @param size H and W
 * @param overlap whether objects have alphas and depths; without, y = sum of paste(a o) z
 */
record Renderer(int size, boolean overlap) {

    /** The script, loaded at the first use. */
    private static final class Loaded {
        /** Where alphas decide. */
        static final NDArray ALPHAS = Script.constant(-1);

        static final ConcurrentMap<Double, NDArray> COVERED = new ConcurrentHashMap<>();

        static final Script SCRIPT = Script.plain(FUNCTIONS);
    }

    private static final String FUNCTIONS =
            """
                        def colours(self, glimpses: Tensor,
                          c: int) -> Tuple[Tensor, Tensor]:
                          g = torch.contiguous(glimpses)
                          if torch.eq(torch.size(g, 1), c):
                            o = g
                            a = torch.ones_like(torch.slice(torch.detach(g), 1, 0, 1))
                          else:
                            o, a = torch.split_with_sizes(g, [c, 1], 1)
                          return (o, a)
                        def sheet(self, glimpses: Tensor,
                          z: Tensor,
                          depth: Tensor,
                          c: int,
                          covered: float) -> Tensor:
                          o, a = self.colours(glimpses, c)
                          if torch.lt(covered, 0.):
                            held = z
                          else:
                            held = torch.clamp(z, None, 0.98999999999999999)
                          ah = torch.mul(a, torch.reshape(held, [-1, 1, 1, 1]))
                          near = torch.sigmoid(torch.neg(torch.reshape(depth, [-1, 1, 1, 1])))
                          return torch.cat([torch.mul(ah, o), torch.mul(ah, near), ah], 1)
                        def centres(self, like: Tensor,
                          n: int) -> Tensor:
                          x = torch.linspace(-1., 1., n, dtype=ops.prim.dtype(like), device=ops.prim.device(like))
                          return torch.div(torch.mul(x, torch.sub(n, 1)), n)
                        def read_at(self, x: Tensor,
                          size: Tensor,
                          centre: Tensor) -> Tensor:
                          s = torch.unsqueeze(torch.add(size, 1e-15), 1)
                          t = torch.div(torch.unsqueeze(centre, 1), s)
                          return torch.sub(torch.mul(x, torch.reciprocal(s)), t)
                        def paste(self, sheet: Tensor,
                          place: Tensor,
                          x: Tensor,
                          y: Tensor) -> Tensor:
                          sx, sy, tx, ty = torch.unbind(place, 1)
                          gx = torch.unsqueeze(self.read_at(x, sx, tx), 1)
                          gy = torch.unsqueeze(self.read_at(y, sy, ty), 2)
                          w = torch.size(gx, 2)
                          h = torch.size(gy, 1)
                          grid = torch.stack([torch.expand(gx, [-1, h, -1]), torch.expand(gy, [-1, -1, w])], 3)
                          return torch.grid_sampler(sheet, grid, 0, 0, False)
                        def compose(self, colours: Tensor,
                          near: Tensor,
                          alpha: Tensor,
                          background: Tensor,
                          covered: float) -> Tuple[Tensor, Tensor, Tensor]:
                          fg = torch.div(colours, torch.add(near, 1e-15))
                          if torch.lt(covered, 0.):
                            a = torch.add(alpha, torch.detach(torch.sub(torch.clamp(alpha, 1e-15, 0.999999999999999), alpha)))
                          else:
                            a = torch.full_like(torch.detach(alpha), covered)
                          return (torch.add(fg, torch.mul(torch.rsub(a, 1), background)), fg, a)
                        def whole(self, glimpses: Tensor,
                          z: Tensor,
                          depth: Tensor,
                          where: Tensor,
                          background: Tensor,
                          setting: Tensor) -> Tuple[Tensor, Tensor, Tensor, Tensor]:
                          covered = float(setting)
                          b = torch.size(background, 0)
                          c = torch.size(background, 1)
                          h = torch.size(background, 2)
                          w = torch.size(background, 3)
                          sheet = self.sheet(glimpses, z, depth, c, covered)
                          x = torch.unsqueeze(self.centres(sheet, w), 0)
                          y = torch.unsqueeze(self.centres(sheet, h), 0)
                          p = torch.reshape(self.paste(sheet, where, x, y), [b, -1, c + 2, h, w])
                          colours, near, masks = torch.split_with_sizes(p, [c, 1, 1], 2)
                          m = torch.sum(torch.mul(colours, near), [1], False)
                          v, fg, a = self.compose(m, torch.sum(near, [1], False), torch.sum(masks, [1], False), background, covered)
                          return (v, fg, a, masks)
                        def windows(self, glimpses: Tensor,
                          z: Tensor,
                          depth: Tensor,
                          where: Tensor,
                          background: Tensor,
                          covered: float,
                          plan: Tensor) -> Tuple[Tensor, Tensor, Tensor, Tensor]:
                          n = int(torch.select(plan, 0, 0))
                          first = torch.add(torch.mul(n, 3), 1)
                          sizes = annotate(List[int], torch.slice(plan, 0, 1, first).tolist())
                          order, left, top = torch.unbind(torch.view(torch.slice(plan, 0, first), [3, -1]), 0)
                          b = torch.size(background, 0)
                          c = torch.size(background, 1)
                          h = torch.size(background, 2)
                          w = torch.size(background, 3)
                          cells = torch.floordiv(torch.size(where, 0), b)
                          zs = torch.index_select(torch.flatten(z), 0, order)
                          ds = torch.index_select(torch.flatten(depth), 0, order)
                          sheet = self.sheet(glimpses, zs, ds, c, covered)
                          counts = torch.slice(sizes, 0, n, 1)
                          sheets = torch.split_with_sizes(sheet, counts, 0)
                          places = torch.split_with_sizes(torch.index_select(where, 0, order), counts, 0)
                          orders = torch.split_with_sizes(order, counts, 0)
                          lefts = torch.split_with_sizes(torch.unsqueeze(left, 1), counts, 0)
                          tops = torch.split_with_sizes(torch.unsqueeze(top, 1), counts, 0)
                          x = self.centres(sheet, w)
                          y = self.centres(sheet, h)
                          area = torch.mul(h, w)
                          sums = torch.new_zeros(sheet, [c + 2, torch.mul(b, area)])
                          masks = torch.new_zeros(sheet, [torch.mul(torch.mul(b, cells), area)])
                          for i in range(n):
                            kx = sizes[n + i]
                            ky = sizes[n + n + i]
                            columns = torch.add(lefts[i], torch.arange(kx, dtype=4, device=ops.prim.device(order)))
                            rows = torch.add(tops[i], torch.arange(ky, dtype=4, device=ops.prim.device(order)))
                            p = self.paste(sheets[i], places[i], torch.take(x, columns), torch.take(y, rows))
                            colours, near, mask = torch.split_with_sizes(p, [c, 1, 1], 1)
                            parts = torch.cat([torch.mul(colours, near), near, mask], 1)
                            pixel = torch.add(torch.unsqueeze(torch.mul(rows, w), 2), torch.unsqueeze(columns, 1))
                            image = torch.mul(torch.floor_divide(orders[i], cells), area)
                            at = torch.flatten(torch.add(torch.reshape(image, [-1, 1, 1]), pixel))
                            rowwise = torch.flatten(torch.transpose(parts, 0, 1), 1)
                            _1 = torch.scatter_add_(sums, 1, torch.expand(torch.unsqueeze(at, 0), [c + 2, -1]), rowwise)
                            own = torch.reshape(torch.mul(orders[i], area), [-1, 1, 1])
                            _2 = torch.index_add_(masks, 0, torch.flatten(torch.add(own, pixel)), torch.flatten(mask))
                          m, near, alpha = torch.split_with_sizes(torch.transpose(torch.view(sums, [c + 2, b, h, w]), 0, 1), [c, 1, 1], 1)
                          v, fg, a = self.compose(m, near, alpha, background, covered)
                          return (v, fg, a, torch.view(masks, [b, cells, 1, h, w]))
                        def drawn_windows(self, glimpses: Tensor,
                          z: Tensor,
                          depth: Tensor,
                          where: Tensor,
                          background: Tensor,
                          setting: Tensor,
                          plan: Tensor) -> Tuple[Tensor, Tensor, Tensor, Tensor]:
                          return self.windows(glimpses, z, depth, where, background, float(setting), plan)
                        def opaque(self, glimpses: Tensor,
                          z: Tensor,
                          where: Tensor,
                          background: Tensor) -> Tuple[Tensor, Tensor, Tensor, Tensor]:
                          b = torch.size(background, 0)
                          c = torch.size(background, 1)
                          h = torch.size(background, 2)
                          w = torch.size(background, 3)
                          o, a = self.colours(glimpses, c)
                          sheet = torch.cat([torch.mul(o, a), torch.mul(a, torch.reshape(z, [-1, 1, 1, 1]))], 1)
                          x = torch.unsqueeze(self.centres(sheet, w), 0)
                          y = torch.unsqueeze(self.centres(sheet, h), 0)
                          p = torch.reshape(self.paste(sheet, where, x, y), [b, -1, c + 1, h, w])
                          colours, masks = torch.split_with_sizes(p, [c, 1], 2)
                          fg = torch.sum(torch.mul(colours, torch.reshape(z, [b, -1, 1, 1, 1])), [1], False)
                          alpha = torch.ones_like(torch.slice(torch.detach(fg), 1, 0, 1))
                          return (torch.mul(fg, 1), fg, alpha, masks)
                        """;

    /** The equations. */
    static ScriptModule script() {
        return ScriptModule.builder("Renderer").setCode(FUNCTIONS).build();
    }

    /**
     * Where all cells can be seen.
     *
     * @param where of all cells, (B G G, 4)
     * @param glimpse height and width of a glimpse
     * @return null where the whole picture is computed for each cell: on a GPU nothing is read
     */
    @Nullable PasteWindows windows(NDArray where, int glimpse) {
        if (!overlap || where.getDevice().isGpu()) {
            return null;
        }
        long[] all = LongStream.range(0, where.getShape().get(0)).toArray();
        return PasteWindows.of(where, all, glimpse, size);
    }

    /** Where some cells can be seen, of which there is at least one. */
    PasteWindows windows(NDArray where, long[] cells, int glimpse) {
        return where.getDevice().isGpu()
                ? PasteWindows.whole(where, cells, size)
                : PasteWindows.of(where, cells, glimpse, size);
    }

    /**
     * Draws cells.
     *
     * @param glimpses (n, C + 1, h, h), or (n, C, h, h) where they have no alpha: of the windows'
     *     cells in their order, or of all cells
     * @param windows which cells are drawn, as if there were none in the others; null for all
     * @param background (B, C, H, W)
     * @param covered how much of each pixel is the objects', whatever their alphas; null where
     *     alphas decide
     */
    RenderedScenes draw(
            NDArray glimpses,
            Cells cells,
            @Nullable PasteWindows windows,
            NDArray background,
            @Nullable Double covered) {
        NDArray where = Cells.rows(cells.where());
        NDArray z = cells.presence();
        if (!overlap) {
            return RenderedScenes.of(
                    Loaded.SCRIPT.call("opaque", glimpses, z, where, background), background);
        }
        NDArray setting =
                covered == null
                        ? Loaded.ALPHAS
                        : Loaded.COVERED.computeIfAbsent(covered, Script::constant);
        NDArray depth = cells.depth();
        NDList drawn =
                windows == null
                        ? Loaded.SCRIPT.call(
                                "whole", glimpses, z, depth, where, background, setting)
                        : Loaded.SCRIPT.call(
                                "drawn_windows",
                                glimpses,
                                z,
                                depth,
                                where,
                                background,
                                setting,
                                windows.plan());
        return RenderedScenes.of(drawn, background);
    }

    /** Draws no cell at all. */
    static RenderedScenes none(NDArray background, int count) {
        Shape s = background.getShape();
        NDArray zero = Scalars.like(background, 0);
        Shape one = new Shape(s.get(0), 1, s.get(2), s.get(3));
        Shape all = new Shape(s.get(0), count, 1, s.get(2), s.get(3));
        DataType type = background.getDataType();
        return new RenderedScenes(
                background.add(zero),
                background.mul(zero),
                Scalars.full(background, one, 1e-15, type),
                Scalars.full(background, all, 0, type),
                background);
    }
}
