package org.slotwise.internal;

import ai.djl.MalformedModelException;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.AbstractBlock;
import ai.djl.nn.Parameter;
import ai.djl.training.initializer.Initializer;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What a {@link ConfiguredBlock} learns, and how it is saved: parameters of shapes that follow from
 * options, and the options beside them.
 */
abstract class DeclaredBlock extends AbstractBlock {

    private static final byte VERSION = 1;

    private final Map<Parameter, Shape> declared = new LinkedHashMap<>();

    DeclaredBlock() {
        super(VERSION);
    }

    /** The parameters of the block itself, not of those inside it. */
    final Collection<Parameter> declared() {
        return declared.keySet();
    }

    /**
     * The options that decide what the parameters mean.
     *
     * @return option names and values, in a fixed order
     */
    protected abstract Options configuration();

    /**
     * The name under which the block speaks in errors.
     *
     * @return the simple name of its class
     */
    protected final String who() {
        return getClass().getSimpleName();
    }

    /**
     * Declares a parameter.
     *
     * @param name its name in the reference's state dict
     * @param type its type, by which users set initializers
     * @param initializer how it starts when the user sets none
     * @param shape its shape
     * @return the parameter
     */
    protected final Parameter declare(
            String name, Parameter.Type type, Initializer initializer, long... shape) {
        return declare(name, type, initializer, true, shape);
    }

    /**
     * Declares a parameter that may be fixed.
     *
     * @param name its name in the reference's state dict
     * @param type its type, by which users set initializers
     * @param initializer how it starts when the user sets none
     * @param learnt whether it is trained
     * @param shape its shape
     * @return the parameter
     */
    protected final Parameter declare(
            String name,
            Parameter.Type type,
            Initializer initializer,
            boolean learnt,
            long... shape) {
        Limits.numbers(who(), name, shape);
        Parameter parameter =
                Parameter.builder()
                        .setName(name)
                        .setType(type)
                        .optShape(new Shape(shape))
                        .optInitializer(initializer)
                        .optRequiresGrad(learnt)
                        .build();
        declared.put(parameter, new Shape(shape));
        return addParameter(parameter);
    }

    /**
     * Declares parameters on behalf of layers.
     *
     * @return a declarer of this block
     */
    protected final Declarer declarer() {
        return new Declarer(this, "");
    }

    /** {@inheritDoc} */
    @Override
    protected void saveMetadata(DataOutputStream os) throws IOException {
        if (inputShapes == null) {
            throw new IllegalStateException(
                    who() + ": initialize the block, or load its parameters, before it is saved");
        }
        os.writeUTF(written());
        saveInputShapes(os);
    }

    /** {@inheritDoc} */
    @Override
    protected void loadMetadata(byte loadVersion, DataInputStream is)
            throws IOException, MalformedModelException {
        if (loadVersion != VERSION) {
            throw new MalformedModelException(
                    who() + ": expected parameters of version " + VERSION + ", got " + loadVersion);
        }
        String read = is.readUTF();
        if (!isWrittenAs(read)) {
            throw new MalformedModelException(
                    who() + ": the block is " + written() + ", the parameters are of " + read);
        }
        readInputShapes(is);
    }

    /** {@inheritDoc} */
    @Override
    public void loadParameters(NDManager manager, DataInputStream is)
            throws IOException, MalformedModelException {
        super.loadParameters(manager, is);
        for (Map.Entry<Parameter, Shape> entry : declared.entrySet()) {
            Parameter parameter = entry.getKey();
            if (parameter.isInitialized()
                    && !parameter.getArray().getShape().equals(entry.getValue())) {
                throw new MalformedModelException(
                        who()
                                + ": "
                                + parameter.getName()
                                + " must be "
                                + entry.getValue()
                                + ", got "
                                + parameter.getArray().getShape());
            }
        }
    }

    private String written() {
        return who() + configuration().written();
    }

    /**
     * Whether saved parameters are of a block with these options.
     *
     * @param saved the block's name and the options that were saved with them
     * @return true if they are this block's, or were its in files of before
     */
    protected boolean isWrittenAs(String saved) {
        return saved.equals(written());
    }
}
