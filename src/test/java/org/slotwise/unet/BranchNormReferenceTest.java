package org.slotwise.unet;

import static org.junit.jupiter.api.Assertions.assertEquals;

import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.slotwise.internal.FusedOps;
import org.slotwise.layer.ResnetBlock.Resize;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.ReferenceCase;
import org.slotwise.weights.StateDict;

/** Values and gradients beside the authors' code: {@code resources/unet}, {@code seed_*}. */
@ExtendWith(OnDevice.class)
class BranchNormReferenceTest {

    static Stream<ReferenceCase> residuals() {
        return ReferenceCase.of("unet", "seed ResBlockUNET");
    }

    @ParameterizedTest
    @MethodSource("residuals")
    void residualBlock(ReferenceCase reference, NDManager manager) {
        Resize resize =
                switch (reference.option("mode").getAsString()) {
                    case "up" -> Resize.TWICE;
                    case "down" -> Resize.HALF;
                    default -> Resize.SAME;
                };
        UNetReferenceTest.check(
                manager,
                reference,
                p -> {
                    BranchNormResidual block =
                            BranchNormResidual.of(
                                    p,
                                    reference.integer("in_channel"),
                                    reference.integer("out_channel"),
                                    reference.integer("dim_time"),
                                    resize,
                                    0);
                    return (pass, in) ->
                            block.apply(
                                    pass, in.get(0), FusedOps.silu(in.get(1)), Told.of(in.get(0)));
                },
                "x",
                "time");
    }

    @Test
    void transformer(NDManager manager) {
        ReferenceCase reference =
                UNetReferenceTest.named("seed TransformerBlock", "seed_transformer_block");
        UNetReferenceTest.check(
                manager,
                reference,
                p -> {
                    BranchNormTransformer block =
                            BranchNormTransformer.of(
                                    p,
                                    reference.integer("in_channel"),
                                    reference.integer("dim_slot"),
                                    reference.integer("dim_head"),
                                    reference.integer("num_repeat"));
                    return (pass, in) ->
                            block.apply(pass, in.get(0), in.get(0), Told.of(in.get(1)));
                },
                "x",
                "slots");
    }

    @Test
    void network(NDManager manager) {
        ReferenceCase reference = UNetReferenceTest.named("seed UNET", "seed_unet");
        BranchNormConfiguration sizes =
                new BranchNormConfiguration(
                        3,
                        reference.integer("num_channel"),
                        reference.integer("dim_time"),
                        reference.integer("dim_slot"),
                        reference.integer("dim_head"),
                        reference.integer("num_repeat"),
                        0);
        UNetReferenceTest.check(
                manager,
                reference,
                p -> {
                    BranchNormLayers layers = new BranchNormLayers(p, sizes);
                    return (pass, in) ->
                            layers.apply(
                                    pass, in.get(0), FusedOps.silu(in.get(1)), Told.of(in.get(2)));
                },
                "x",
                "time",
                "slots");
    }

    /** As many parameters as the authors' network has at its last sizes. */
    @Test
    void finalSizes() {
        BranchNormUNet unet = new BranchNormUNet(BranchNormConfiguration.col775());
        long count =
                StateDict.parameters(unet).values().stream()
                        .mapToLong(p -> p.getShape().size())
                        .sum();
        assertEquals(127_927_299, count);
        assertEquals(
                new Shape(2, 3, 32, 32),
                unet.getOutputShapes(new Shape[] {new Shape(2, 3, 32, 32)})[0]);
    }
}
