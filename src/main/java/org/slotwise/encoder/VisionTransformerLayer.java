package org.slotwise.encoder;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.nn.Activation;
import ai.djl.nn.Parameter;
import ai.djl.training.initializer.Initializer;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Declarer;
import org.slotwise.internal.Pass;
import org.slotwise.internal.Scope;
import org.slotwise.layer.Layer;
import org.slotwise.layer.LayerNorm;
import org.slotwise.layer.LeanAttention;
import org.slotwise.layer.Linear;
import org.slotwise.layer.StartingValues;

/**
 * One layer of a vision transformer, under timm's names.
 *
 * <pre>{@code
 * x = x + g1 Wp attention(LayerNorm(x))
 * x = x + g2 (W2 gelu(W1 LayerNorm(x) + b1) + b2)          g1, g2: where layers are scaled
 * }</pre>
 *
 * <p>x is (B, N, D), and so is the result; the attention's weights are not kept.
 */
final class VisionTransformerLayer implements Layer {

    private static final double SCALE_START = 1e-5;

    private final int heads;
    private final LayerNorm norm1;
    private final Linear qkv;
    private final Linear projection;
    private final LayerNorm norm2;
    private final Linear fc1;
    private final Linear fc2;
    private final @Nullable Parameter scale1;
    private final @Nullable Parameter scale2;

    /**
     * Declares a layer.
     *
     * @param p declares under the layer's name
     * @param sizes of the whole network
     * @param normEps what the normalisations add to the variance
     */
    VisionTransformerLayer(Declarer p, VisionTransformerArchitecture sizes, double normEps) {
        int dim = sizes.dim();
        int hidden = sizes.hidden();
        heads = sizes.heads();
        norm1 = LayerNorm.of(p.under("norm1"), dim, normEps);
        qkv = linear(p.under("attn").under("qkv"), dim, 3 * dim);
        projection = linear(p.under("attn").under("proj"), dim, dim);
        scale1 = sizes.layerScale() ? scale(p.under("ls1"), dim) : null;
        norm2 = LayerNorm.of(p.under("norm2"), dim, normEps);
        fc1 = linear(p.under("mlp").under("fc1"), dim, hidden);
        fc2 = linear(p.under("mlp").under("fc2"), hidden, dim);
        scale2 = sizes.layerScale() ? scale(p.under("ls2"), dim) : null;
    }

    private static Linear linear(Declarer parameters, int in, int out) {
        return Linear.of(parameters, in, out, VisionTransformer.START, Initializer.ZEROS);
    }

    private static Parameter scale(Declarer parameters, int dim) {
        return parameters.other("gamma", StartingValues.constant(SCALE_START), true, dim);
    }

    @Override
    public NDArray apply(Pass pass, NDArray x) {
        try (Scope scope = new Scope()) {
            NDList parts = qkv.apply(pass, norm1.apply(pass, x)).split(3, 2);
            NDArray heard = LeanAttention.heard(parts.get(0), parts.get(1), parts.get(2), heads);
            NDArray y = x.add(scaled(pass, projection.apply(pass, heard), scale1));
            NDArray h = Activation.gelu(fc1.apply(pass, norm2.apply(pass, y)));
            return scope.keep(y.add(scaled(pass, fc2.apply(pass, h), scale2)));
        }
    }

    private static NDArray scaled(Pass pass, NDArray x, @Nullable Parameter scale) {
        return scale == null ? x : x.mul(pass.value(scale));
    }
}
