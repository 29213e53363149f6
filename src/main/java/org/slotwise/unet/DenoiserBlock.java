package org.slotwise.unet;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
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

    /** {@inheritDoc} */
    @Override
    public final boolean seesPicturesAlone() {
        return true;
    }

    /** The network under slots and times where it is one call; null where it is not. */
    @Nullable ToldDenoiser toldAtOnce(Pass pass, NDArray slots, int... times) {
        return null;
    }

    /** {@inheritDoc} */
    @Override
    public final ToldDenoiser told(ParameterStore store, NDArray slots, int... times) {
        Check.shape(who(), SLOTS, slots, "B", "K", slotDim);
        Check.floating(who(), SLOTS, slots.getDataType());
        for (int time : times) {
            Check.atLeast(who(), "times", time, 0);
        }
        AtomicReference<@Nullable ToldDenoiser> atOnce = new AtomicReference<>();
        compute(
                store,
                slots,
                false,
                pass -> {
                    atOnce.set(toldAtOnce(pass, slots, times));
                    return new NDList();
                });
        ToldDenoiser told = atOnce.get();
        return told == null ? Denoiser.super.told(store, slots, times) : told;
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

    /** Requires inputs of the network to fit it, and each other. */
    final void check(NDArray latents, NDArray timesteps, NDArray slots) {
        requireFit(latents, slots);
        Check.shape(who(), TIMESTEPS, timesteps, latents.getShape().get(0));
        Check.type(who(), TIMESTEPS, timesteps, DataType.INT64, "");
        Check.sameDevice(who(), TIMESTEPS, timesteps, LATENTS, latents);
    }

    /** {@inheritDoc} */
    @Override
    public final void requireFit(NDArray latents, NDArray slots) {
        Check.shape(who(), LATENTS, latents, "B", in, "h", "w");
        Check.floating(who(), LATENTS, latents.getDataType());
        checkSize(latents.getShape());
        Check.shape(who(), SLOTS, slots, latents.getShape().get(0), "K", slotDim);
        Check.sameTypeAndDevice(who(), SLOTS, slots, LATENTS, latents);
    }

    /** Timesteps in the latents' type. */
    static NDArray times(NDArray timesteps, NDArray latents) {
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
