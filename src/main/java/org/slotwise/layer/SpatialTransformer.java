package org.slotwise.layer;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import org.slotwise.internal.Check;
import org.slotwise.internal.Limits;
import org.slotwise.internal.Script;

/**
 * Crops rectangles out of images, and pastes them into images, differentiably in pixels and places.
 *
 * <p>Source: Jaderberg et al., "Spatial Transformer Networks" (2015), equations 1, 3 and 5, with a
 * transformation of size and place alone; the same numbers as PyTorch's {@code affine_grid} and
 * {@code grid_sample} with bilinear samples, zeros outside and {@code align_corners=False}.
 *
 * <pre>{@code
 * pixel (i, j) of H x W has its centre at X = (2 j + 1) / W - 1,  Y = (2 i + 1) / H - 1
 * crop:   it is read at  X' = sx X + tx
 * paste:  it is read at  X' = X / (sx + 1e-15) - tx / (sx + 1e-15)          Y' likewise
 * }</pre>
 *
 * <p>where = (sx, sy, tx, ty): the rectangle's width and height as shares of the image's, and its
 * centre in coordinates from -1 to 1. A share of 0 gives numbers that are not finite.
 */
public final class SpatialTransformer {

    private static final String WHO = "SpatialTransformer";

    private static final ConcurrentMap<Size, NDArray> SIZES = new ConcurrentHashMap<>();

    private SpatialTransformer() {}

    /** Rows and columns of what comes out. */
    private record Size(int height, int width) {}

    /** The script, loaded at the first use. */
    private static final class Loaded {
        static final Script SCRIPT =
                Script.plain(
                        """
                        def sample(self: __torch__.Script,
                          image: Tensor,
                          sx: Tensor,
                          sy: Tensor,
                          tx: Tensor,
                          ty: Tensor,
                          size: Tensor) -> Tensor:
                          n = torch.size(image, 0)
                          c = torch.size(image, 1)
                          h = int(torch.select(size, 0, 0))
                          w = int(torch.select(size, 0, 1))
                          o = torch.zeros_like(sx)
                          theta = torch.reshape(torch.stack([sx, o, tx, o, sy, ty], 1), [n, 2, 3])
                          grid = torch.affine_grid_generator(theta, [n, c, h, w], False)
                          return torch.grid_sampler(image, grid, 0, 0, False)
                        def crop(self: __torch__.Script,
                          image: Tensor,
                          place: Tensor,
                          size: Tensor) -> Tensor:
                          sx, sy, tx, ty = torch.unbind(place, 1)
                          return (self).sample(image, sx, sy, tx, ty, size)
                        def paste(self: __torch__.Script,
                          image: Tensor,
                          place: Tensor,
                          size: Tensor) -> Tensor:
                          sx, sy, tx, ty = torch.unbind(place, 1)
                          ex = torch.add(sx, 1e-15)
                          ey = torch.add(sy, 1e-15)
                          ix = torch.reciprocal(ex)
                          iy = torch.reciprocal(ey)
                          jx = torch.neg(torch.div(tx, ex))
                          jy = torch.neg(torch.div(ty, ey))
                          return (self).sample(image, ix, iy, jx, jy, size)
                        """);
    }

    /**
     * Crops a rectangle out of each image.
     *
     * @param images (n, C, H, W), floating
     * @param where (n, 4), of the images' type
     * @param height rows of what comes out, at least 1
     * @param width its columns, at least 1
     * @return (n, C, height, width), owned by the images' manager
     * @throws IllegalArgumentException if shapes, types, devices or sizes are others
     */
    public static NDArray crop(NDArray images, NDArray where, int height, int width) {
        return call("crop", images, where, height, width);
    }

    /**
     * Pastes each image into an empty one, as a rectangle of it.
     *
     * @param images (n, C, h, w), floating
     * @param where (n, 4), of the images' type
     * @param height rows of what comes out, at least 1
     * @param width its columns, at least 1
     * @return (n, C, height, width), 0 where the rectangle is not, owned by the images' manager
     * @throws IllegalArgumentException if shapes, types, devices or sizes are others
     */
    public static NDArray paste(NDArray images, NDArray where, int height, int width) {
        return call("paste", images, where, height, width);
    }

    private static NDArray call(
            String function, NDArray images, NDArray where, int height, int width) {
        Check.shape(WHO, "images", images, "n", "C", "H", "W");
        Shape s = images.getShape();
        Check.floating(WHO, "images", images.getDataType());
        Check.shape(WHO, "where", where, s.get(0), 4);
        Check.sameTypeAndDevice(WHO, "where", where, "images", images);
        Check.atLeast(WHO, "height", height, 1);
        Check.atLeast(WHO, "width", width, 1);
        Limits.numbers(WHO, "the result", s.get(0), s.get(1), height, width);
        NDArray size =
                SIZES.computeIfAbsent(
                        new Size(height, width), k -> Script.constant(k.height(), k.width()));
        return Loaded.SCRIPT.call(function, images, where, size).singletonOrThrow();
    }
}
