package org.slotwise.position;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Check;
import org.slotwise.internal.ConfiguredBlock;
import org.slotwise.internal.Options;
import org.slotwise.internal.Scalars;
import org.slotwise.layer.Linear;
import org.slotwise.torchscript.ScriptModule;
import org.slotwise.torchscript.Scriptable;

/**
 * Adds to each feature a learnt linear function of its position.
 *
 * <p>Source: Locatello et al., "Object-Centric Learning with Slot Attention" (2020); with {@code
 * saviStyle} Kipf et al., "Conditional Object-Centric Learning from Video" (2022); in the form of
 * OCLF's {@code SoftPositionEmbed}.
 *
 * <pre>{@code
 * x + W [p, 1 - p] + b                             W (F, 2 P)
 * x + W (2 p - 1) + b                              W (F, P), with saviStyle
 * }</pre>
 *
 * <ul>
 *   <li>x: features (B, N, F); p: positions (N, P) in [0, 1], {@link PositionGrid} for instance.
 *       Both are of the parameters' type. On lists they are told apart by the names "features" and
 *       "positions" or, unnamed, by this order; auxiliary features, conditioning and slot masks are
 *       passed over.
 *   <li>The result is (B, N, F), named "features" on lists.
 * </ul>
 *
 * <p>W and b start as PyTorch's Linear does.
 */
public final class SoftPositionEmbed extends ConfiguredBlock implements Scriptable {

    private static final String FEATURES = "features";
    private static final String POSITIONS = "positions";
    private static final Set<String> OTHERS = Set.of("conditioning", "noise", "slot_mask");

    private final int spatialDims;
    private final int featureDim;
    private final boolean saviStyle;
    private final Linear dense;

    private SoftPositionEmbed(Builder builder) {
        spatialDims = builder.spatialDims;
        featureDim = builder.featureDim;
        saviStyle = builder.saviStyle;
        long in = saviStyle ? spatialDims : 2L * spatialDims;
        dense = Linear.of(declarer().under("dense"), in, featureDim);
    }

    /**
     * Adds the embedding of positions to features.
     *
     * @param parameterStore where the parameters' values are
     * @param features x, (B, N, F)
     * @param positions p, (N, P), in [0, 1]
     * @param training whether to record a graph for gradients
     * @return (B, N, F), owned by the manager of the features
     * @throws IllegalArgumentException if an input has another shape, type or device
     */
    public NDArray embed(
            ParameterStore parameterStore,
            NDArray features,
            @Nullable NDArray positions,
            boolean training) {
        Check.shape(who(), FEATURES, features, "B", "N", featureDim);
        long n = features.getShape().get(1);
        NDArray p = Check.shape(who(), POSITIONS, positions, n, spatialDims);
        Check.sameTypeAndDevice(who(), POSITIONS, p, FEATURES, features);
        return compute(
                        parameterStore,
                        features,
                        training,
                        pass -> new NDList(features.add(dense.apply(pass, code(p)))))
                .head();
    }

    /** [p, 1 - p] (N, 2 P), or 2 p - 1 (N, P). */
    private NDArray code(NDArray p) {
        NDArray one = Scalars.like(p, 1);
        return saviStyle
                ? p.mul(Scalars.like(p, 2)).sub(one)
                : NDArrays.concat(new NDList(p, one.sub(p)), 1);
    }

    /** {@inheritDoc} */
    @Override
    protected NDList outputs(ParameterStore parameterStore, NDList inputs, boolean training) {
        NDArray features = named(inputs, FEATURES);
        NDArray positions = named(inputs, POSITIONS);
        for (NDArray array : inputs) {
            if (array == features || array == positions || isOther(array.getName())) {
                continue;
            }
            if (features == null) {
                features = array;
            } else if (positions == null) {
                positions = array;
            } else {
                throw new IllegalArgumentException(
                        who()
                                + ": expected features and positions, got "
                                + inputs.size()
                                + " arrays");
            }
        }
        NDArray x = Check.present(who(), FEATURES, features);
        NDArray result = embed(parameterStore, x, positions, training);
        result.setName(FEATURES);
        return new NDList(result);
    }

    private @Nullable NDArray named(NDList list, String name) {
        NDArray found = null;
        for (NDArray array : list) {
            if (name.equals(array.getName())) {
                Check.option(found == null, who() + ": two inputs are named " + name);
                found = array;
            }
        }
        return found;
    }

    /** Whether an array's name says that it is for the blocks that come later. */
    private static boolean isOther(@Nullable String name) {
        return name != null && (OTHERS.contains(name) || name.startsWith("aux_features."));
    }

    /** {@inheritDoc} */
    @Override
    protected Shape[] outputShapes(Shape[] inputShapes) {
        Check.shape(who(), FEATURES, inputShapes[0], "B", "N", featureDim);
        return new Shape[] {inputShapes[0]};
    }

    /** {@inheritDoc} */
    @Override
    protected Options configuration() {
        return Options.of("spatialDims", spatialDims)
                .and("featureDim", featureDim)
                .and("saviStyle", saviStyle);
    }

    /** {@inheritDoc} */
    @Override
    public ScriptModule script() {
        String code =
                saviStyle
                        ? "torch.sub(torch.mul(positions, 2), 1)"
                        : "torch.cat([positions, torch.rsub(positions, 1)], 1)";
        return ScriptModule.builder("SoftPositionEmbed")
                .module("dense", dense.script())
                .setCode(
                        """
                        def forward(self, features: Tensor, positions: Tensor) -> Tensor:
                          return torch.add(features, self.dense.forward(%s))
                        """
                                .formatted(code))
                .build();
    }

    /**
     * Starts the description of a positional embedding.
     *
     * @return a builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /** Describes a {@link SoftPositionEmbed}. */
    public static final class Builder {
        private int spatialDims;
        private int featureDim;
        private boolean saviStyle;

        private Builder() {}

        /**
         * Sets the number of coordinates of a position, P.
         *
         * @param spatialDims at least 1; 2 for images
         * @return this
         */
        public Builder setSpatialDims(int spatialDims) {
            this.spatialDims = spatialDims;
            return this;
        }

        /**
         * Sets the size of a feature, F.
         *
         * @param featureDim at least 1
         * @return this
         */
        public Builder setFeatureDim(int featureDim) {
            this.featureDim = featureDim;
            return this;
        }

        /**
         * Sets whether positions enter as 2 p - 1 in place of [p, 1 - p].
         *
         * @param saviStyle false if not set
         * @return this
         */
        public Builder optSaviStyle(boolean saviStyle) {
            this.saviStyle = saviStyle;
            return this;
        }

        /**
         * Builds the block.
         *
         * @return the block
         * @throws IllegalArgumentException if an option is missing or out of range
         */
        public SoftPositionEmbed build() {
            String who = "SoftPositionEmbed";
            Check.atLeast(who, "spatialDims", spatialDims, 1);
            Check.atLeast(who, "featureDim", featureDim, 1);
            return new SoftPositionEmbed(this);
        }
    }
}
