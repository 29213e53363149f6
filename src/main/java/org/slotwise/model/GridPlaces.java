package org.slotwise.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.ArrayList;
import java.util.List;
import org.slotwise.internal.Scalars;
import org.slotwise.torchscript.ScriptModule;

/**
 * Places on a grid, row by row.
 *
 * @param places row and column of each, in [0, 1]
 * @param jitter how far each is moved at most while a model learns
 */
record GridPlaces(List<Double> places, double jitter) {

    private static final int AXES = 2;

    /** One by one: of a list the engine makes float32 first, whatever it is asked for. */
    private static final String SETTLED =
            """
            def settled(self, like: Tensor) -> Tensor:
              places = annotate(List[Tensor], [])
              for place in %s:
                _0 = torch.append(places, torch.full([], place, dtype=ops.prim.dtype(like), layout=None, device=ops.prim.device(like), pin_memory=None))
              return torch.stack(places, 0)
            """;

    static GridPlaces of(ConditioningConfiguration.Grid grid) {
        List<Double> places = new ArrayList<>();
        for (double row : grid.rows()) {
            for (double column : grid.columns()) {
                places.add(row);
                places.add(column);
            }
        }
        return new GridPlaces(places, grid.jitter());
    }

    /** K. */
    int count() {
        return places.size() / AXES;
    }

    /** Places (B, K, 2) for images (B, 3, H, W). */
    NDArray like(NDArray images, boolean training) {
        Shape shape = new Shape(images.getShape().get(0), count(), AXES);
        NDArray all =
                Scalars.of(
                                images.getManager(),
                                images.getDevice(),
                                places.stream().mapToDouble(Double::doubleValue).toArray(),
                                new Shape(1, count(), AXES),
                                images.getDataType())
                        .broadcast(shape);
        if (!training || jitter == 0) {
            return all;
        }
        NDArray moves =
                images.getManager()
                        .randomUniform((float) -jitter, (float) jitter, shape, DataType.FLOAT32)
                        .toDevice(images.getDevice(), false)
                        .toType(images.getDataType(), false);
        return all.add(moves);
    }

    /** The same in TorchScript, never moved: {@code forward(images)} gives "slot_positions". */
    ScriptModule script() {
        return ScriptModule.builder("GridPlaces")
                .setCode(
                        """
                        def forward(self, images: Tensor) -> Dict[str, Tensor]:
                          p = torch.reshape(self.settled(images), [1, %1$s, 2])
                          return {"slot_positions": torch.expand(p, [torch.size(images, 0), -1, -1])}
                        """
                                        .formatted(count())
                                + SETTLED.formatted(places))
                .optInference(
                        """
                        def infer(self, images: Tensor, settled: Tensor) -> Dict[str, Tensor]:
                          p = torch.view(settled, [1, %1$s, 2])
                          return {"slot_positions": torch.expand(p, [torch.size(images, 0), -1, -1])}
                        """
                                .formatted(count()))
                .build();
    }
}
