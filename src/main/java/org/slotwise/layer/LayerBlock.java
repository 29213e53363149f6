package org.slotwise.layer;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.slotwise.internal.Check;
import org.slotwise.internal.ConfiguredBlock;
import org.slotwise.internal.Declarer;
import org.slotwise.internal.Options;

/**
 * A {@link Layer} as a DJL block of its own: for use in a {@code SequentialBlock}, or to hold a
 * layer to what is promised of blocks. Blocks that are made of layers need none of these.
 *
 * <p>It takes one array of the parameters' type and gives one.
 */
public final class LayerBlock extends ConfiguredBlock {

    private final Layer layer;
    private final UnaryOperator<Shape> shapes;

    /**
     * Makes a block of a layer.
     *
     * @param layer makes the layer, {@code p -> Linear.of(p, 3, 4)} for instance
     * @param shapes from the shape of an input to that of its output
     */
    public LayerBlock(Function<Declarer, Layer> layer, UnaryOperator<Shape> shapes) {
        this.layer = layer.apply(declarer());
        this.shapes = shapes;
    }

    /** {@inheritDoc} */
    @Override
    protected String inputName() {
        return "input";
    }

    /** {@inheritDoc} */
    @Override
    protected NDList outputs(ParameterStore parameterStore, NDList inputs, boolean training) {
        Check.option(inputs.size() == 1, who() + ": expected one array, got " + inputs.size());
        NDArray x = inputs.head();
        Check.present(who(), inputName(), x);
        Check.floating(who(), inputName(), x.getDataType());
        return compute(
                parameterStore,
                x,
                training,
                pass -> {
                    NDArray y = layer.apply(pass, x);
                    return new NDList(y == x ? y.get("...") : y);
                });
    }

    /** {@inheritDoc} */
    @Override
    protected Shape[] outputShapes(Shape[] inputShapes) {
        Check.option(inputShapes.length > 0, who() + ": the input's shape is missing");
        return new Shape[] {shapes.apply(inputShapes[0])};
    }

    /** {@inheritDoc} */
    @Override
    protected Options configuration() {
        return Options.none();
    }
}
