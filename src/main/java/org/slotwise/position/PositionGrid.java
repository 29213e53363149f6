package org.slotwise.position;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.Arrays;
import java.util.List;
import org.slotwise.internal.Check;
import org.slotwise.internal.EvenSpacing;
import org.slotwise.internal.KeptArrays;
import org.slotwise.internal.Limits;
import org.slotwise.internal.Scope;
import org.slotwise.torchscript.ScriptModule;

/**
 * The positions of features that lie on a regular grid.
 *
 * <p>Source: the grid of Locatello et al., "Object-Centric Learning with Slot Attention" (2020);
 * row-major, indexed "ij", as {@code torch.meshgrid(torch.linspace(0, 1, height), torch.linspace(0,
 * 1, width), indexing="ij")}.
 */
public final class PositionGrid {

    private PositionGrid() {}

    /**
     * Makes the positions of a grid.
     *
     * <p>The last axis runs fastest. Each coordinate goes from 0 to 1, both included; on an axis of
     * size 1 it is 0, as {@code torch.linspace(0, 1, 1)} is. The device makes them itself: nothing
     * is copied from the host.
     *
     * @param manager the owner, on whose device the array is made
     * @param type float32, float64 or float16
     * @param sizes how many features lie along each axis, height and width for instance; at least
     *     one, each at least 1
     * @return (N, P): N the product of the sizes, P their number
     * @throws IllegalArgumentException if there are no sizes, one is below 1, or the type is
     *     another
     */
    public static NDArray of(NDManager manager, DataType type, long... sizes) {
        return of(manager, manager.getDevice(), type, sizes);
    }

    /**
     * Makes the positions of a grid where an array is: in its manager, on its device, of its type.
     *
     * @param like features for instance; float32, float64 or float16
     * @param sizes as in {@link #of(NDManager, DataType, long...)}
     * @return (N, P): N the product of the sizes, P their number
     * @throws IllegalArgumentException if there are no sizes, one is below 1, or the type is
     *     another
     */
    public static NDArray like(NDArray like, long... sizes) {
        Check.present("PositionGrid", "like", like);
        return of(like.getManager(), like.getDevice(), like.getDataType(), sizes);
    }

    private static NDArray of(NDManager manager, Device device, DataType type, long... sizes) {
        String who = "PositionGrid";
        Check.floating(who, "positions", type);
        Check.option(
                sizes.length > 0 && Arrays.stream(sizes).allMatch(size -> size > 0),
                who + ": sizes must be at least 1, got " + Arrays.toString(sizes));
        Limits.numbers(who, "the grid", sizes);
        long count = Arrays.stream(sizes).reduce(1, Math::multiplyExact);
        Limits.numbers(who, "positions", count, sizes.length);
        return KeptArrays.copy(
                new Key(device, type, Arrays.stream(sizes).boxed().toList()),
                count * sizes.length,
                manager,
                owner -> made(owner, device, type, count, sizes));
    }

    /** What tells one grid from all others. */
    private record Key(Device device, DataType type, List<Long> sizes) {}

    private static NDArray made(
            NDManager manager, Device device, DataType type, long count, long... sizes) {
        try (Scope scope = new Scope()) {
            NDList coordinates = new NDList(sizes.length);
            for (int axis = 0; axis < sizes.length; axis++) {
                int size = Math.toIntExact(sizes[axis]);
                long[] alone = new long[sizes.length];
                Arrays.fill(alone, 1);
                alone[axis] = size;
                coordinates.add(
                        new EvenSpacing(0, 1, size, Math.max(size - 1, 1))
                                .on(manager, device, type)
                                .reshape(alone)
                                .broadcast(new Shape(sizes)));
            }
            NDArray grid = NDArrays.stack(coordinates, sizes.length).reshape(count, sizes.length);
            return scope.keep(grid, manager);
        }
    }

    /**
     * The positions of a grid of height and width, in TorchScript.
     *
     * @return a module without parameters: {@code forward(like, height, width)} gives (height
     *     width, 2) of like's type, where like is
     */
    public static ScriptModule script() {
        return ScriptModule.builder("PositionGrid")
                .setCode(
                        """
                        def forward(self, like: Tensor, height: int, width: int) -> Tensor:
                          t = ops.prim.dtype(like)
                          d = ops.prim.device(like)
                          y = torch.linspace(0., 1., height, dtype=t, layout=None, device=d)
                          x = torch.linspace(0., 1., width, dtype=t, layout=None, device=d)
                          rows = torch.expand(torch.unsqueeze(y, 1), [height, width])
                          columns = torch.expand(torch.unsqueeze(x, 0), [height, width])
                          return torch.reshape(torch.stack([rows, columns], 2), [-1, 2])
                        """)
                .build();
    }
}
