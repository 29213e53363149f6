package org.slotwise.quantization;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import org.slotwise.internal.Check;
import org.slotwise.internal.ConfiguredBlock;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Pass;
import org.slotwise.internal.Scalars;
import org.slotwise.internal.Scope;

/** Latents of slots, each with a codebook of its own: what codes are, and the slots they make. */
public abstract class SlotCodebooks extends ConfiguredBlock {

    final int latents;
    final int codes;
    final int codeDim;

    SlotCodebooks(int latents, int codes, int codeDim) {
        this.latents = latents;
        this.codes = codes;
        this.codeDim = codeDim;
    }

    /** The codebooks e, (L, M, E). */
    abstract NDArray codebooks(Pass pass);

    /**
     * The number of latents of a slot.
     *
     * @return L
     */
    public int latents() {
        return latents;
    }

    /**
     * The number of codes of a latent.
     *
     * @return M
     */
    public int codes() {
        return codes;
    }

    /**
     * The size of a slot that is made of codes.
     *
     * @return L E
     */
    public int outputDim() {
        return latents * codeDim;
    }

    /**
     * Makes slots of codes: what {@link SlotQuantizer#quantize(ParameterStore, NDArray, boolean)}
     * gives in inference for these codes.
     *
     * @param parameterStore where the parameters' values are
     * @param codes (B, K, L) int64, each from 0 to M - 1
     * @param training whether to record a graph for gradients, to the codebooks
     * @return slots (B, K, L E), owned by the manager of the codes
     * @throws IllegalArgumentException if the codes have another shape, type or range
     */
    public NDArray decode(ParameterStore parameterStore, NDArray codes, boolean training) {
        checkCodes(codes);
        return compute(
                        parameterStore,
                        codes.getManager(),
                        codes.getDevice(),
                        training,
                        pass -> {
                            checkRange(codes);
                            var made = new CategoricalLatents(codes.getShape(), codebooks(pass));
                            return new NDList(made.ofCodes(codes));
                        })
                .head();
    }

    private void checkRange(NDArray array) {
        double[] range = Ops.read(NDArrays.stack(new NDList(array.min(), array.max())));
        Check.option(
                range[0] >= 0 && range[1] < codes,
                who()
                        + ": codes must be from 0 to "
                        + (codes - 1)
                        + ", got "
                        + (long) (range[0] < 0 ? range[0] : range[1]));
    }

    private void checkCodes(NDArray codes) {
        Check.shape(who(), QuantizedSlots.CODES, codes, "B", "K", latents);
        Check.type(who(), QuantizedSlots.CODES, codes, DataType.INT64, "");
    }

    /**
     * Codes with one latent of one slot set to another code. {@link #decode} makes slots of them:
     * only the part of that latent differs.
     *
     * @param codes (B, K, L) int64; not changed
     * @param image the image's number
     * @param slot the slot's number
     * @param latent the latent's number
     * @param code the code that it gets
     * @return (B, K, L) int64, owned by the manager of the codes
     * @throws IllegalArgumentException if the codes have another shape or type, or a number is out
     *     of range
     */
    public NDArray edited(NDArray codes, long image, long slot, long latent, long code) {
        checkCodes(codes);
        Shape shape = codes.getShape();
        inRange("image", image, shape.get(0));
        inRange("slot", slot, shape.get(1));
        inRange("latent", latent, latents);
        inRange("code", code, this.codes);
        try (Scope scope = new Scope()) {
            NDArray copy = scope.keep(codes.duplicate(), codes.getManager());
            copy.setName(null);
            NDArray value = Scalars.ofType(copy, (double) code, DataType.INT64);
            copy.set(new NDIndex(image, slot, latent), value);
            return copy;
        }
    }

    private void inRange(String what, long number, long count) {
        Check.option(
                number >= 0 && number < count,
                who() + ": " + what + " must be from 0 to " + (count - 1) + ", got " + number);
    }
}
