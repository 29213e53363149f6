package org.slotwise.layer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.slotwise.testing.Errors.assertRefused;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.slotwise.testing.BlockContract;
import org.slotwise.testing.EquationBlock;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.Tensors;

/** Values and gradients beside the original's: {@code GnmLayersReferenceTest}. */
@ExtendWith(OnDevice.class)
class NormedStackTest {

    private static LayerBlock block(boolean openEnd) {
        return new LayerBlock(
                p ->
                        NormedStack.of(p.under("conv"), 3)
                                .convolution(4, new Window(4, 2, 1), 2)
                                .subPixel(3, 3, 2, 1)
                                .subPixel(2, 1, 1, 1)
                                .optOpenEnd(openEnd)
                                .build(),
                shape -> new Shape(shape.get(0), 2, shape.get(2), shape.get(3)));
    }

    @Test
    void keepsWhatBlocksPromise(NDManager manager) {
        new BlockContract(
                        () -> block(true),
                        (m, type) -> new NDList(Tensors.normal(m, 1, type, 2, 3, 6, 8)))
                .check(manager);
    }

    @Test
    void modulesWithoutParametersCount() {
        assertEquals(
                List.of(
                        "conv.0.weight",
                        "conv.0.bias",
                        "conv.2.weight",
                        "conv.2.bias",
                        "conv.3.weight",
                        "conv.3.bias",
                        "conv.6.weight",
                        "conv.6.bias",
                        "conv.7.weight",
                        "conv.7.bias"),
                block(true).getDirectParameters().keys());
        assertEquals(12, block(false).getDirectParameters().size());
    }

    @Test
    void badStacksAreRefused() {
        assertRefused(
                "NormedStack: there must be a layer",
                () -> new LayerBlock(p -> NormedStack.of(p, 3).build(), s -> s));
        assertRefused(
                "GroupNorm: channels must be a multiple of 3, got 4",
                () ->
                        new LayerBlock(
                                p -> NormedStack.of(p, 3).convolution(4, Window.same(3), 3).build(),
                                s -> s));
        assertRefused(
                "NormedStack: channels must be at least 1, got 0",
                () -> new LayerBlock(p -> NormedStack.of(p, 0).linear(3).build(), s -> s));
    }

    @Test
    void theCellKeepsWhatBlocksPromise(NDManager manager) {
        new BlockContract(
                        () ->
                                new EquationBlock(
                                        p -> {
                                            ConvolutionalLstmCell cell =
                                                    new ConvolutionalLstmCell(p, 3, 3, 3, 4);
                                            return (pass, in) -> {
                                                NDArray x = in.head();
                                                var one = cell.step(pass, x, cell.start(pass, 2));
                                                var two = cell.step(pass, x, one);
                                                return new NDList(two.hidden().add(two.cell()));
                                            };
                                        }),
                        (m, type) -> new NDList(Tensors.normal(m, 1, type, 2, 3, 4, 4)))
                .check(manager);
        assertRefused(
                "ConvolutionalLstmCell: kernel must be odd, got 2",
                () ->
                        new EquationBlock(
                                p -> {
                                    ConvolutionalLstmCell cell =
                                            new ConvolutionalLstmCell(p, 2, 3, 2, 4);
                                    return (pass, in) -> new NDList(cell.start(pass, 1).hidden());
                                }));
    }

    @Test
    void distributionsRefuseWhatDoesNotFit(NDManager manager) {
        NDArray two = manager.ones(new Shape(2));
        assertRefused(
                "Gaussian: noise must be (2), got (3)",
                () -> new Gaussian(two, two).sample(manager.ones(new Shape(3))));
        assertRefused(
                "Gaussian: numbers must be even along axis 1, got (2, 3)",
                () -> Gaussian.halves(manager.ones(new Shape(2, 3)), 1));
        assertRefused(
                "RelaxedBernoulli: logits must be float32 or float64, got float16",
                () -> new RelaxedBernoulli(1).sample(two.toType(DataType.FLOAT16, false), null));
        assertRefused(
                "RelaxedBernoulli: uniform must be (2), got (3)",
                () -> new RelaxedBernoulli(1).sample(two, manager.ones(new Shape(3))));
        assertRefused(
                "RelaxedBernoulli: temperature must be above 0 and finite, got 0.0",
                () -> new RelaxedBernoulli(0));
    }

    @Test
    void whatIsNotGivenIsDrawn(NDManager manager) {
        NDArray zero = manager.zeros(new Shape(10_000));
        NDArray one = manager.ones(new Shape(10_000));
        assertEquals(0.5, new RelaxedBernoulli(0.01).sample(zero, null).mean().getFloat(), 0.03);
        NDArray drawn = new Gaussian(one, one).sample(null);
        assertEquals(1, drawn.mean().getFloat(), 0.05);
        assertEquals(1, drawn.sub(1).square().mean().getFloat(), 0.06);
    }
}
