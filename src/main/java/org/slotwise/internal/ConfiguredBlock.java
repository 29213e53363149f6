package org.slotwise.internal;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.AbstractBlock;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterStore;
import ai.djl.util.Pair;
import ai.djl.util.PairList;
import java.lang.ref.Reference;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A block whose parameters' shapes follow from its options alone.
 *
 * <p>It adds to {@link AbstractBlock} what DJL leaves open: the options are written with the
 * parameters and compared when they are read, so that weights of another configuration are refused
 * instead of misread; parameters can only be of types in which the engine computes; and children
 * are initialised with the block's own type.
 *
 * <p>And it says once what every block does when it is called, {@link #compute}, so that a block's
 * file is its options, its checks and its equations.
 */
public abstract class ConfiguredBlock extends DeclaredBlock {

    private @Nullable Object owner;

    /** Creates a block without parameters. */
    protected ConfiguredBlock() {}

    /**
     * Keeps something from being collected as garbage while this block, or one inside it, can be
     * reached or computes: DJL's model closes its arrays, the block's parameters among them, when
     * nobody refers to it any more.
     *
     * @param owner who owns the parameters
     */
    public final void keepReachable(Object owner) {
        this.owner = owner;
        for (Pair<String, Block> child : children) {
            if (child.getValue() instanceof ConfiguredBlock ours) {
                ours.keepReachable(owner);
            }
        }
    }

    /**
     * What the block's main input is called in errors.
     *
     * @return "features", unless a block says otherwise
     */
    protected String inputName() {
        return "features";
    }

    /**
     * Computes the block's equations on one call.
     *
     * <p>All parameters, also those of children, are fetched first. In inference no graph is
     * recorded, whatever thread this is. What the equations make is freed when they end, but for
     * what they return, which goes to the manager of the input.
     *
     * @param store where the parameters' values are
     * @param input the main input: its device is where the values must be, its type that of the
     *     parameters
     * @param training whether to record a graph for gradients
     * @param equations from the call to arrays that they made: none that came from outside
     * @return what the equations return
     * @throws IllegalArgumentException if the input has another type than the parameters, or is on
     *     a device that the store does not know
     * @throws IllegalStateException if the block has not been initialised
     */
    protected final NDList compute(
            ParameterStore store,
            NDArray input,
            boolean training,
            Function<Pass, NDList> equations) {
        checkOptions(input.getDataType());
        fetchAll(store, input, training);
        return scoped(
                input.getManager(), new Pass(this, store, input.getDevice(), training), equations);
    }

    /**
     * Computes the block's equations on one call that has no main input: the same as {@link
     * #compute(ParameterStore, NDArray, boolean, Function)}.
     *
     * @param store where the parameters' values are
     * @param owner the manager that what the equations return goes to
     * @param device where the values must be
     * @param training whether to record a graph for gradients
     * @param equations from the call to arrays that they made: none that came from outside
     * @return what the equations return
     * @throws IllegalArgumentException if the device is one that the store does not know
     * @throws IllegalStateException if the block has not been initialised
     */
    protected final NDList compute(
            ParameterStore store,
            NDManager owner,
            Device device,
            boolean training,
            Function<Pass, NDList> equations) {
        eachParameter(this, parameter -> value(store, parameter, device, training));
        return scoped(owner, new Pass(this, store, device, training), equations);
    }

    private NDList scoped(NDManager to, Pass pass, Function<Pass, NDList> equations) {
        try {
            return NoGraph.unless(
                    pass.training(),
                    () -> {
                        try (Scope scope = new Scope()) {
                            NDList out = equations.apply(pass);
                            out.forEach(array -> scope.keep(array, to));
                            return out;
                        }
                    });
        } finally {
            Reference.reachabilityFence(owner);
        }
    }

    /**
     * Checks the input against the parameters and fetches all of them, also those of children: what
     * {@link #compute(ParameterStore, NDArray, boolean, Function)} does first. For blocks that call
     * others before they compute, so that it is they who complain.
     *
     * @param store where the parameters' values are
     * @param input the main input
     * @param training whether the block is being trained
     */
    protected final void fetchAll(ParameterStore store, NDArray input, boolean training) {
        for (Parameter parameter : declared()) {
            value(store, parameter, input, training);
        }
        for (Pair<String, Block> child : children) {
            fetchAll(store, child.getValue(), input, training);
        }
    }

    /**
     * All parameters of a block and of those inside. Lists of them by name, which DJL makes anew
     * for each call, take longer than a small operation.
     */
    private static void eachParameter(Block block, Consumer<Parameter> use) {
        if (block instanceof ConfiguredBlock ours) {
            ours.parameters.values().forEach(use);
            for (Pair<String, Block> child : ours.children) {
                eachParameter(child.getValue(), use);
            }
        } else {
            block.getParameters().values().forEach(use);
        }
    }

    /** A parameter's value on a device, for a {@link Pass}. */
    final NDArray fetch(
            ParameterStore store, Parameter parameter, Device device, boolean training) {
        return fetch(store, parameter, inputName(), device, training);
    }

    /**
     * Requires an input that is not the main one to be of the parameters' type, where they have one
     * already.
     *
     * @param what the input's name
     * @param array the input
     * @throws IllegalArgumentException if it is of another type
     */
    protected final void requireType(String what, NDArray array) {
        for (Parameter parameter : declared()) {
            if (parameter.isInitialized()) {
                DataType type = parameter.getArray().getDataType();
                Check.type(who(), what, array, type, " as the block's parameters");
            }
        }
    }

    /** A parameter's value on an array's device, if the array is of the parameter's type. */
    private NDArray value(
            ParameterStore store, Parameter parameter, NDArray like, boolean training) {
        requireInitialized(parameter);
        Check.type(
                who(),
                inputName(),
                like,
                parameter.getArray().getDataType(),
                " as the block's parameters");
        return fetch(store, parameter, inputName(), like.getDevice(), training);
    }

    /** A parameter's value on a device, where there is no input to agree with. */
    private NDArray value(
            ParameterStore store, Parameter parameter, Device device, boolean training) {
        requireInitialized(parameter);
        return fetch(store, parameter, "manager and inputs", device, training);
    }

    private void requireInitialized(Parameter parameter) {
        if (!parameter.isInitialized()) {
            throw new IllegalStateException(
                    who() + ": initialize the block, or load its parameters, before it is used");
        }
        if (parameter.getArray().isReleased()) {
            throw new IllegalStateException(
                    who() + ": the block's parameters are closed, with the manager that they had");
        }
    }

    /**
     * Fetches all parameters of a child, so that a {@link Scope} opened later does not free copies
     * that the store makes of them.
     *
     * @param store where values are kept
     * @param child a block, or null
     * @param like the array whose device the values must be on
     * @param training whether the block is being trained
     */
    protected final void fetchAll(
            ParameterStore store, @Nullable Block child, NDArray like, boolean training) {
        if (child != null) {
            boolean ours = child instanceof ConfiguredBlock;
            eachParameter(
                    child,
                    parameter -> {
                        if (ours) {
                            value(store, parameter, like, training);
                        } else if (parameter.isInitialized()) {
                            fetch(store, parameter, inputName(), like.getDevice(), training);
                        }
                    });
        }
    }

    @SuppressWarnings("PMD.AvoidCatchingNPE")
    private NDArray fetch(
            ParameterStore store,
            Parameter parameter,
            String what,
            Device device,
            boolean training) {
        requireInitialized(parameter);
        Check.given(store.getManager(), who() + ": the manager of the parameter store");
        try {
            return store.getValue(parameter, device, training);
        } catch (NullPointerException e) {
            // How DJL's store says that it was not made for this device.
            throw new IllegalArgumentException(
                    who()
                            + ": "
                            + what
                            + " must be on a device of the parameter store ("
                            + store.getManager().getDevice()
                            + "), got "
                            + device,
                    e);
        }
    }

    /**
     * The shapes of what the block gives, for shapes of inputs that there can be.
     *
     * @param inputShapes at least one; -1 is an unknown size
     * @return the shapes of the outputs
     */
    protected abstract Shape[] outputShapes(Shape[] inputShapes);

    /** {@inheritDoc} */
    @Override
    public final Shape[] getOutputShapes(Shape[] inputShapes) {
        return outputShapes(Inputs.shapes(who(), inputShapes));
    }

    /**
     * Computes what the block gives, for arrays that are there, open and of the PyTorch engine.
     *
     * @param parameterStore where the parameters' values are
     * @param inputs what came: it may be empty
     * @param training whether to record a graph for gradients
     * @return what the block gives
     */
    protected abstract NDList outputs(
            ParameterStore parameterStore, NDList inputs, boolean training);

    /** {@inheritDoc} */
    @Override
    protected final NDList forwardInternal(
            ParameterStore parameterStore,
            NDList inputs,
            boolean training,
            @Nullable PairList<String, Object> params) {
        return outputs(parameterStore, Inputs.list(who(), inputs), training);
    }

    /**
     * Requires the options to be numbers in the type of the parameters: small ones may become 0
     * there, and large ones infinite. There is nothing to require if a block does not say so.
     *
     * @param type float16, float32 or float64
     */
    protected void checkOptions(DataType type) {}

    /** {@inheritDoc} */
    @Override
    public void initialize(NDManager manager, DataType dataType, Shape... inputShapes) {
        Inputs.manager(who(), manager);
        Check.floating(who(), "parameters", dataType);
        if (inputShapes.length > 0) {
            Inputs.shapes(who(), inputShapes);
        }
        checkOptions(dataType);
        super.initialize(manager, dataType, inputShapes);
    }

    /** {@inheritDoc} */
    @Override
    protected void initializeChildBlocks(
            NDManager manager, DataType dataType, Shape... inputShapes) {
        for (Pair<String, Block> child : getChildren()) {
            child.getValue().initialize(manager, dataType, inputShapes);
        }
    }
}
