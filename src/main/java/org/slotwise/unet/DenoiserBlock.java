package org.slotwise.unet;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import org.slotwise.internal.Check;
import org.slotwise.internal.ConfiguredBlock;
import org.slotwise.internal.Pass;

/** What every denoiser of this package does as a DJL block, and what its inputs must be. */
abstract class DenoiserBlock extends ConfiguredBlock implements Denoiser {

    static final String LATENTS = "latents";
    private static final String TIMESTEPS = "timesteps";
    private static final String SLOTS = "slots";

    private final int in;
    private final int out;
    private final int slotDim;

    DenoiserBlock(int in, int out, int slotDim) {
        this.in = in;
        this.out = out;
        this.slotDim = slotDim;
    }

    /** Requires latents of a shape to be of a size that the network can halve. */
    abstract void checkSize(Shape latents);

    /** {@inheritDoc} */
    @Override
    protected String inputName() {
        return LATENTS;
    }

    /** Computes the network: z_t (B, C, h, w), t (B) of the latents' type, slots. */
    abstract NDArray equations(Pass pass, NDArray latents, NDArray times, Told told);

    /** {@inheritDoc} */
    @Override
    public final NDArray predict(
            ParameterStore store,
            NDArray latents,
            NDArray timesteps,
            NDArray slots,
            boolean training) {
        return predicted(store, latents, timesteps, Told.of(slots), training);
    }

    private NDArray predicted(
            ParameterStore store, NDArray latents, NDArray timesteps, Told told, boolean training) {
        check(latents, timesteps, told.slots());
        return compute(
                        store,
                        latents,
                        training,
                        pass -> {
                            NDArray t = times(timesteps, latents);
                            return new NDList(equations(pass, latents, t, told));
                        })
                .head();
    }

    /** What can be made of slots before anything else is known; nothing by default. */
    NDList before(Pass pass, NDArray slots) {
        return new NDList();
    }

    /** {@inheritDoc} */
    @Override
    public final ToldDenoiser told(ParameterStore store, NDArray slots) {
        Check.shape(who(), SLOTS, slots, "B", "K", slotDim);
        Check.floating(who(), SLOTS, slots.getDataType());
        NDList before = compute(store, slots, false, pass -> before(pass, slots));
        Told told = new Told(slots, null, before);
        return new ToldDenoiser() {
            @Override
            public NDArray predict(NDArray latents, NDArray timesteps) {
                return predicted(store, latents, timesteps, told, false);
            }

            @Override
            public void close() {
                before.close();
            }
        };
    }

    /** {@inheritDoc} */
    @Override
    public final NDList crossAttention(
            ParameterStore store, NDArray latents, NDArray timesteps, NDArray slots) {
        check(latents, timesteps, slots);
        CrossAttentionMaps maps = new CrossAttentionMaps(latents.getShape());
        boolean whole = false;
        try {
            NDList all =
                    compute(
                            store,
                            latents,
                            false,
                            pass -> {
                                NDArray t = times(timesteps, latents);
                                equations(pass, latents, t, Told.of(slots, maps));
                                return maps.all();
                            });
            whole = true;
            return all;
        } finally {
            if (!whole) {
                maps.close();
            }
        }
    }

    private void check(NDArray latents, NDArray timesteps, NDArray slots) {
        Check.shape(who(), LATENTS, latents, "B", in, "h", "w");
        Check.floating(who(), LATENTS, latents.getDataType());
        checkSize(latents.getShape());
        long batch = latents.getShape().get(0);
        Check.shape(who(), TIMESTEPS, timesteps, batch);
        Check.type(who(), TIMESTEPS, timesteps, DataType.INT64, "");
        Check.sameDevice(who(), TIMESTEPS, timesteps, LATENTS, latents);
        Check.shape(who(), SLOTS, slots, batch, "K", slotDim);
        Check.sameTypeAndDevice(who(), SLOTS, slots, LATENTS, latents);
    }

    /** Timesteps in the latents' type. */
    private static NDArray times(NDArray timesteps, NDArray latents) {
        return timesteps.toType(latents.getDataType(), false);
    }

    /** {@inheritDoc} */
    @Override
    protected NDList outputs(ParameterStore parameterStore, NDList inputs, boolean training) {
        Check.option(
                inputs.size() == 3,
                who()
                        + ": expected latents, timesteps and slots, got "
                        + inputs.size()
                        + " arrays");
        return new NDList(
                predict(parameterStore, inputs.get(0), inputs.get(1), inputs.get(2), training));
    }

    /** {@inheritDoc} */
    @Override
    protected Shape[] outputShapes(Shape[] inputShapes) {
        Shape latents = inputShapes[0];
        Check.shape(who(), LATENTS, latents, "B", in, "h", "w");
        checkSize(latents);
        return new Shape[] {new Shape(latents.get(0), out, latents.get(2), latents.get(3))};
    }
}
