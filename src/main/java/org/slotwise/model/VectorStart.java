package org.slotwise.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterStore;
import java.util.Arrays;
import java.util.stream.Stream;
import org.slotwise.internal.ConfiguredBlock;
import org.slotwise.internal.Options;
import org.slotwise.layer.StartingValues;
import org.slotwise.torchscript.ScriptModule;
import org.slotwise.torchscript.Scriptable;

/**
 * One vector for all slots, which is drawn once and not learnt: {@code start} (D). What tells slots
 * apart, places or a first guess, comes from elsewhere.
 */
final class VectorStart extends ConfiguredBlock implements Scriptable {

    private static final double DEVIATION = 0.1;

    private final int slots;
    private final int dim;
    private final Scriptable apart;
    private final String[] names;
    private final Parameter start;

    /**
     * Declares the vector.
     *
     * @param slots K
     * @param dim D
     * @param apart what tells slots apart, in TorchScript: {@code forward(images)} gives it by the
     *     names that a grouping has for it
     * @param names these names
     */
    VectorStart(int slots, int dim, Scriptable apart, String... names) {
        this.slots = slots;
        this.dim = dim;
        this.apart = apart;
        this.names = names;
        start = declarer().other("start", StartingValues.normal(DEVIATION), false, dim);
    }

    /** The vector for each slot of each image, (B, K, D). */
    NDArray values(ParameterStore store, NDArray images, boolean training) {
        long batch = images.getShape().get(0);
        return compute(
                        store,
                        images,
                        training,
                        pass ->
                                new NDList(
                                        pass.value(start)
                                                .reshape(1, 1, dim)
                                                .broadcast(batch, slots, dim)))
                .head();
    }

    @Override
    public ScriptModule script() {
        return ScriptModule.builder("VectorStart")
                .parameter("start", start)
                .module("apart", apart.script())
                .optInputs("images", "noise", "slots")
                .optOutputs(
                        Stream.concat(Stream.of("conditioning"), Arrays.stream(names))
                                .toArray(String[]::new))
                .setCode(
                        "def forward(self, images: Tensor, noise: Optional[Tensor], slots: Optional[int]) -> Dict[str, Tensor]:\n"
                                + SlotStart.nothingDrawn(slots)
                                + """
                                  out = self.apart.forward(images)
                                  s = torch.reshape(self.start, [1, 1, %2$s])
                                  s = torch.expand(s, [torch.size(images, 0), %1$s, %2$s])
                                  torch._set_item(out, "conditioning", s)
                                  return out
                                """
                                        .formatted(slots, dim))
                .optInference(
                        """
                        def settled(self) -> Tensor:
                          return self.apart.settled(self.start)
                        def infer(self, images: Tensor, settled: Tensor) -> Dict[str, Tensor]:
                          out = self.apart.infer(images, settled)
                          s = torch.expand(self.start, [torch.size(images, 0), %1$s, %2$s])
                          torch._set_item(out, "conditioning", s)
                          return out
                        """
                                .formatted(slots, dim))
                .build();
    }

    @Override
    protected NDList outputs(ParameterStore parameterStore, NDList inputs, boolean training) {
        return new NDList(values(parameterStore, inputs.head(), training));
    }

    @Override
    protected Shape[] outputShapes(Shape[] inputShapes) {
        return new Shape[] {new Shape(inputShapes[0].get(0), slots, dim)};
    }

    @Override
    protected Options configuration() {
        return Options.of("dim", dim);
    }
}
