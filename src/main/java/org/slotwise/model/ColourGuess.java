package org.slotwise.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.util.Arrays;
import org.slotwise.grouping.FeatureExtractorOutput;
import org.slotwise.grouping.PerceptualGroupingOutput;
import org.slotwise.grouping.StickBreakingGrouping;
import org.slotwise.grouping.StoppingRule;
import org.slotwise.internal.Scalars;
import org.slotwise.torchscript.ScriptModule;

/**
 * Pixels of like colour, as stick-breaking finds them without having learnt anything.
 *
 * <p>Stick-breaking compares the directions of its features. A colour channel c in [0, 1] becomes
 * sin(pi c / 2) and cos(pi c / 2): the six numbers of a colour then have one length, and their
 * directions differ by about as much as the colours do.
 *
 * @param slots K
 * @param stride every how many rows and columns a pixel is looked at
 */
record ColourGuess(int slots, int stride) {

    /**
     * Two colours are as good as one if they differ by less than about 0.14 of the way from dark to
     * light in one channel.
     */
    private static final double KERNEL_VAR = 0.02 * Math.PI * Math.PI / 12;

    /** A slot is empty if no pixel is its own for more than this. */
    private static final double LEAST = 0.5;

    private static final int SIZE = 6;

    private static final long SEED = 0;

    /**
     * Groups pixels.
     *
     * @param images (B, 3, H, W) in [0, 1]
     * @param training whether the pixels from which it goes out are drawn anew
     * @return attributions (B, K, N) and empty slots (B, K), in the images' manager
     */
    PerceptualGroupingOutput of(NDArray images, boolean training) {
        StickBreakingGrouping grouping = grouping();
        grouping.setInitializer((m, shape, type) -> m.eye(SIZE, SIZE, 0, type), "in_proj.weight");
        grouping.setInitializer((m, shape, type) -> m.zeros(shape, type), "in_proj.bias");
        NDArray some = images.get(":, :, ::" + stride + ", ::" + stride);
        NDArray angles =
                some.reshape(images.getShape().get(0), 3, -1)
                        .transpose(0, 2, 1)
                        .mul(Scalars.like(images, Math.PI / 2));
        NDArray colours = NDArrays.concat(new NDList(angles.sin(), angles.cos()), 2);
        grouping.initialize(images.getManager(), images.getDataType(), colours.getShape());
        return grouping.group(
                new ParameterStore(images.getManager(), false),
                new FeatureExtractorOutput(colours),
                uniform(colours, training),
                false);
    }

    private StickBreakingGrouping grouping() {
        return StickBreakingGrouping.builder()
                .setFeatureDim(SIZE)
                .setObjectDim(SIZE)
                .setSlots(slots)
                .optKernelVar(KERNEL_VAR)
                .optStoppingRule(StoppingRule.builder().optMinMaxMaskValue(LEAST).build())
                .build();
    }

    /**
     * The same in TorchScript, from the pixels of inference: {@code forward(images)} gives "guess"
     * and "is_empty".
     *
     * @param count how many pixels of an image are looked at, N
     */
    ScriptModule script(int count) {
        return ScriptModule.builder("ColourGuess")
                .module("grouping", grouping().guess())
                .setCode(
                        """
                        def settled(self, like: Tensor) -> Tensor:
                          return torch.tensor(%4$s, dtype=ops.prim.dtype(like), device=ops.prim.device(like))
                        def forward(self, images: Tensor) -> Dict[str, Tensor]:
                          x = torch.detach(images)
                          x = torch.slice(torch.slice(x, 2, 0, %1$s, %2$s), 3, 0, %1$s, %2$s)
                          x = torch.transpose(torch.flatten(x, 2), 1, 2)
                          angles = torch.mul(x, %3$s)
                          colours = torch.cat([torch.sin(angles), torch.cos(angles)], 2)
                          u = torch.expand(self.settled(x), [torch.size(x, 0), -1])
                          return self.grouping.forward(colours, u)
                        """
                                .formatted(
                                        Integer.MAX_VALUE,
                                        stride,
                                        Math.PI / 2,
                                        Arrays.toString(SettledNoise.uniform(count, SEED))))
                .optInference(
                        """
                        def infer(self, images: Tensor, settled: Tensor) -> Dict[str, Tensor]:
                          x = torch.slice(torch.slice(images, 2, 0, %1$s, %2$s), 3, 0, %1$s, %2$s)
                          angles = torch.mul(torch.flatten(x, 2), %3$s)
                          colours = torch.cat([torch.sin(angles), torch.cos(angles)], 1)
                          u = torch.expand(settled, [torch.size(x, 0), -1])
                          return self.grouping.infer(colours, u)
                        """
                                .formatted(Integer.MAX_VALUE, stride, Math.PI / 2))
                .build();
    }

    private static NDArray uniform(NDArray colours, boolean training) {
        Shape shape = colours.getShape();
        Shape draw = new Shape(shape.get(0), shape.get(1));
        if (training) {
            return colours.getManager()
                    .randomUniform(0, 1, draw, DataType.FLOAT32)
                    .toDevice(colours.getDevice(), false)
                    .toType(colours.getDataType(), false);
        }
        return SettledNoise.uniform(colours, SEED);
    }
}
