package org.slotwise.gnm;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import org.jspecify.annotations.Nullable;
import org.slotwise.gnm.CellSampler.Glimpses;
import org.slotwise.internal.Scalars;
import org.slotwise.internal.Script;
import org.slotwise.layer.SpatialTransformer;

/**
 * Draws a scene of cells. Everything that is pasted with one grid lies side by side as channels:
 * one paste in place of the original's four.
 *
 * <pre>{@code
 * ah = a z;   r = paste(ah sigmoid(-depth)) / (sum over cells of it + 1e-15)
 * fg = sum over cells of paste(ah o) r
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
        /** The largest presence while alphas do not decide. */
        static final NDArray MOST = Script.constant(0.99);

        static final Script SCRIPT =
                Script.plain(
                        """
                        def sheet(self: __torch__.Script,
                          o: Tensor,
                          a: Tensor,
                          z: Tensor,
                          depth: Tensor) -> Tensor:
                          n = torch.size(o, 0)
                          ah = torch.mul(a, torch.reshape(z, [n, 1, 1, 1]))
                          near = torch.sigmoid(torch.neg(torch.reshape(depth, [n, 1, 1, 1])))
                          return torch.cat([torch.mul(ah, o), torch.mul(ah, near), ah], 1)
                        def most(self: __torch__.Script,
                          z: Tensor,
                          bound: Tensor) -> Tensor:
                          return torch.clamp(z, None, float(bound))
                        def covered(self: __torch__.Script,
                          alpha: Tensor) -> Tensor:
                          return torch.add(alpha, torch.detach(torch.sub(torch.clamp(alpha, 1e-15, 0.999999999999999), alpha)))
                        def compose(self: __torch__.Script,
                          pasted: Tensor,
                          background: Tensor) -> Tuple[Tensor, Tensor, Tensor, Tensor]:
                          b = torch.size(background, 0)
                          c = torch.size(background, 1)
                          h = torch.size(background, 2)
                          w = torch.size(background, 3)
                          p = torch.reshape(pasted, [b, -1, c + 2, h, w])
                          near = torch.slice(p, 2, c, c + 1)
                          share = torch.div(near, torch.add(torch.sum(near, [1], True), 1e-15))
                          colours = torch.mul(torch.slice(p, 2, 0, c), share)
                          fg = torch.sum(colours, [1], False)
                          masks = torch.slice(p, 2, c + 1, c + 2)
                          alpha = (self).covered(torch.sum(masks, [1], False))
                          y = torch.add(fg, torch.mul(torch.rsub(alpha, 1), background))
                          return (y, fg, alpha, masks)
                        def compose_covered(self: __torch__.Script,
                          pasted: Tensor,
                          background: Tensor,
                          covered: Tensor) -> Tuple[Tensor, Tensor, Tensor, Tensor]:
                          b = torch.size(background, 0)
                          c = torch.size(background, 1)
                          h = torch.size(background, 2)
                          w = torch.size(background, 3)
                          p = torch.reshape(pasted, [b, -1, c + 2, h, w])
                          near = torch.slice(p, 2, c, c + 1)
                          share = torch.div(near, torch.add(torch.sum(near, [1], True), 1e-15))
                          colours = torch.mul(torch.slice(p, 2, 0, c), share)
                          fg = torch.sum(colours, [1], False)
                          masks = torch.slice(p, 2, c + 1, c + 2)
                          alpha = torch.mul(torch.ones_like(torch.detach(torch.slice(fg, 1, 0, 1))), covered)
                          y = torch.add(fg, torch.mul(torch.rsub(alpha, 1), background))
                          return (y, fg, alpha, masks)
                        def compose_some(self: __torch__.Script,
                          pasted: Tensor,
                          background: Tensor,
                          image: Tensor,
                          row: Tensor,
                          like: Tensor) -> Tuple[Tensor, Tensor, Tensor, Tensor]:
                          c = torch.size(background, 1)
                          none = torch.mul(torch.slice(background, 1, 0, 1), 0)
                          near = torch.slice(pasted, 1, c, c + 1)
                          mask = torch.slice(pasted, 1, c + 1, c + 2)
                          total = torch.add(torch.index_add(none, 0, image, near), 1e-15)
                          share = torch.div(near, torch.index_select(total, 0, image))
                          colours = torch.mul(torch.slice(pasted, 1, 0, c), share)
                          fg = torch.index_add(torch.mul(background, 0), 0, image, colours)
                          alpha = torch.clamp(torch.index_add(none, 0, image, mask), 1e-15, 0.999999999999999)
                          y = torch.add(fg, torch.mul(torch.rsub(alpha, 1), background))
                          masks = torch.index_copy(like, 0, row, mask)
                          return (y, fg, alpha, masks)
                        def opaque(self: __torch__.Script,
                          pasted: Tensor,
                          z: Tensor,
                          background: Tensor) -> Tuple[Tensor, Tensor, Tensor, Tensor]:
                          b = torch.size(background, 0)
                          c = torch.size(background, 1)
                          h = torch.size(background, 2)
                          w = torch.size(background, 3)
                          p = torch.reshape(pasted, [b, -1, c + 1, h, w])
                          some = torch.reshape(z, [b, -1, 1, 1, 1])
                          fg = torch.sum(torch.mul(torch.slice(p, 2, 0, c), some), [1], False)
                          masks = torch.slice(p, 2, c, c + 1)
                          alpha = torch.ones_like(torch.detach(torch.slice(fg, 1, 0, 1)))
                          return (torch.mul(fg, 1), fg, alpha, masks)
                        """);
    }

    /**
     * Draws all cells.
     *
     * @param glimpses of B G G rows
     * @param background (B, C, H, W)
     * @param covered how much of each pixel is the objects', whatever their alphas; null where
     *     alphas decide
     */
    RenderedScenes all(
            Glimpses glimpses, Cells cells, NDArray background, @Nullable Double covered) {
        NDArray where = Cells.rows(cells.where());
        NDArray z = cells.presence();
        NDArray o = glimpses.picture();
        NDArray a = glimpses.alpha();
        if (!overlap) {
            NDArray rows = z.reshape(o.getShape().get(0), 1, 1, 1);
            NDArray sheet = o.mul(a).concat(a.mul(rows), 1);
            NDArray pasted = SpatialTransformer.paste(sheet, where, size, size);
            return RenderedScenes.of(
                    Loaded.SCRIPT.call("opaque", pasted, z, background), background);
        }
        if (covered != null) {
            z = Loaded.SCRIPT.call("most", z, Loaded.MOST).singletonOrThrow();
        }
        NDArray sheet = Loaded.SCRIPT.call("sheet", o, a, z, cells.depth()).singletonOrThrow();
        NDArray pasted = SpatialTransformer.paste(sheet, where, size, size);
        return RenderedScenes.of(
                covered == null
                        ? Loaded.SCRIPT.call("compose", pasted, background)
                        : Loaded.SCRIPT.call(
                                "compose_covered",
                                pasted,
                                background,
                                Scalars.like(background, covered)),
                background);
    }

    /**
     * Draws some cells, in each of which there is an object: the same as all of them, where the
     * others have none.
     *
     * @param glimpses of n rows
     * @param where (n, 4)
     * @param depth (n, 1)
     * @param images which image each is of, (n) int64
     * @param rows which cells they are, of B G G, (n) int64
     * @param count G G
     * @param background (B, C, H, W)
     */
    RenderedScenes some(
            Glimpses glimpses,
            NDArray where,
            NDArray depth,
            NDArray images,
            NDArray rows,
            int count,
            NDArray background) {
        NDArray o = glimpses.picture();
        Shape s = background.getShape();
        NDArray one = Scalars.full(o, new Shape(o.getShape().get(0)), 1, o.getDataType());
        NDArray sheet =
                Loaded.SCRIPT.call("sheet", o, glimpses.alpha(), one, depth).singletonOrThrow();
        NDArray pasted = SpatialTransformer.paste(sheet, where, size, size);
        Shape masks = new Shape(s.get(0) * count, 1, s.get(2), s.get(3));
        NDArray none = Scalars.full(o, masks, 0, o.getDataType());
        NDList drawn = Loaded.SCRIPT.call("compose_some", pasted, background, images, rows, none);
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

    /** Each glimpse in an empty picture, (B G G, C, H, W): what the original calls patches. */
    NDArray patches(Glimpses glimpses, Cells cells) {
        return SpatialTransformer.paste(glimpses.picture(), Cells.rows(cells.where()), size, size);
    }
}
