package org.slotwise.gnm;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Function;
import org.slotwise.internal.Check;
import org.slotwise.internal.ConfiguredBlock;
import org.slotwise.internal.Inputs;
import org.slotwise.internal.Options;
import org.slotwise.internal.Pass;
import org.slotwise.internal.Scalars;
import org.slotwise.internal.Scope;

/**
 * GNM: a scene is a grid of cells, each with at most one object, under a prior that is drawn step
 * by step. It counts, places and names objects, and makes new scenes.
 *
 * <p>Source: Jiang and Ahn, "Generative Neurosymbolic Machines" (2020), in the form of HHousen's
 * {@code object-discovery-pytorch}, of which it takes the weights.
 *
 * <pre>{@code
 * e      = encoder(x);   q = cells(e)                        what the picture says of each cell
 * f, z_g = scene latent(e);   p = cells(f)                   what the scene says of it
 * presence ~ relaxed Bernoulli,  where, depth, what ~ N      of q; to make scenes, of p
 * o, a   = glimpses(what);   y = render(o, a, presence, where, depth, background)
 * loss   = -ln N(x; y, sigma) + KL(q || p) + KL(q || fixed priors)      weighted, nats, mean of batch
 * }</pre>
 *
 * <ul>
 *   <li>images (B, C, S, S) of the parameters' type, float32 or float64, in [0, 1].
 *   <li>N = G G cells, row by row. Equations: {@link GnmLayers}, {@link SceneLatent}, {@link
 *       Renderer}, {@link GnmLoss}.
 *   <li>all draws may be given ({@link GnmNoise}); the original draws in evaluation too, here
 *       {@link GnmDraws#mode} draws nothing.
 * </ul>
 *
 * <p>How this differs from the original: sizes follow from each other, and what does not fit is
 * refused; no call changes a buffer or a configuration; objects without alpha have masks of one
 * channel; a second rendering from the prior, for its log, is left out. An explanation needs no
 * scene latent, and cells without an object are neither decoded nor pasted where nothing is drawn.
 *
 * <p>As a block on lists it takes images, and by names noise. In training it gives the loss,
 * likelihood and terms at the setting of {@link #setSetting}; otherwise the most probable
 * explanation as {@link DiscoveredCells} has it, which pictures, servers and Spark take.
 */
public final class Gnm extends ConfiguredBlock {

    private final GnmConfiguration sizes;
    private final GnmInputs inputs;
    private final GnmLayers layers;
    private final GnmCalls calls;
    private volatile GnmSetting setting = GnmSetting.of(1);

    /**
     * Creates the block.
     *
     * @param sizes the sizes
     */
    public Gnm(GnmConfiguration sizes) {
        this.sizes = sizes;
        inputs = new GnmInputs(who(), sizes);
        layers = GnmLayers.of(declarer(), sizes);
        calls = new GnmCalls(layers);
    }

    /**
     * The sizes.
     *
     * @return what the block was made of
     */
    public GnmConfiguration sizes() {
        return sizes;
    }

    /**
     * Sets temperature, weights and the rest for steps of the block on lists.
     *
     * @param setting all weights 1 and temperature 1 if not set
     */
    public void setSetting(GnmSetting setting) {
        this.setting = setting;
    }

    /** {@inheritDoc} */
    @Override
    protected String inputName() {
        return GnmInputs.IMAGES;
    }

    /** {@inheritDoc} */
    @Override
    protected void checkOptions(DataType type) {
        inputs.type("parameters", type);
    }

    /**
     * A step: explains pictures with draws, and computes the loss.
     *
     * @param parameterStore where the parameters' values are
     * @param images (B, C, S, S)
     * @param setting temperature, weights and the rest
     * @param noise what is not to be drawn
     * @param training whether to record a graph for gradients
     * @return the loss and all that it is made of, owned by the images' manager
     * @throws IllegalArgumentException if an input has another shape or type
     */
    public GnmOutput step(
            ParameterStore parameterStore,
            NDArray images,
            GnmSetting setting,
            GnmNoise noise,
            boolean training) {
        inputs.images(images);
        inputs.noise(noise, images.getShape().get(0), sizes.latents().steps(), images);
        return kept(
                equations -> compute(parameterStore, images, training, equations),
                pass ->
                        calls.fit(pass, images)
                                ? calls.step(images, setting, noise)
                                : layers.step(pass, images, setting, noise),
                GnmOutput::arrays);
    }

    /**
     * Explains pictures: which cells have an object, where, how deep, and what.
     *
     * @param parameterStore where the parameters' values are
     * @param images (B, C, S, S)
     * @param draws whether cells are drawn or the most probable
     * @return the explanation, and the pictures drawn of it, owned by the images' manager
     * @throws IllegalArgumentException if an input has another shape or type
     */
    public ExplainedScenes explain(ParameterStore parameterStore, NDArray images, GnmDraws draws) {
        inputs.images(images);
        inputs.noise(draws.noise(), images.getShape().get(0), sizes.latents().steps(), images);
        return kept(
                equations -> compute(parameterStore, images, false, equations),
                pass ->
                        draws.temperature() == null && calls.fit(pass, images)
                                ? calls.explain(images)
                                : layers.explain(pass, images, draws.temperature(), draws.noise()),
                ExplainedScenes::arrays);
    }

    /**
     * Makes new scenes: the scene latent is drawn from its prior, cells and background from what it
     * predicts.
     *
     * @param parameterStore where the parameters' values are
     * @param manager the owner of the scenes, on the device where the values are
     * @param batch how many, at least 1
     * @param draws whether cells are drawn or the most probable; the scene latent always is drawn
     * @return the scenes
     * @throws IllegalArgumentException if a number is out of its range, or noise of another shape
     *     or type
     */
    public GeneratedScenes generate(
            ParameterStore parameterStore, NDManager manager, long batch, GnmDraws draws) {
        Inputs.manager(who(), manager);
        inputs.batch(batch);
        GnmNoise noise = draws.noise();
        try (NDArray like = like(manager)) {
            inputs.noise(noise, batch, sizes.latents().steps(), like);
        }
        return kept(
                equations ->
                        compute(parameterStore, manager, manager.getDevice(), false, equations),
                pass -> {
                    SceneSteps steps =
                            layers.scene().draw(pass, batch, null, 0, null, noise.scene());
                    return layers.generate(pass, steps, draws.temperature(), noise);
                },
                GeneratedScenes::arrays);
    }

    private NDArray like(NDManager manager) {
        DataType type = getParameters().isEmpty() ? DataType.FLOAT32 : type();
        return Scalars.full(manager, new Shape(), 0, type);
    }

    private DataType type() {
        var parameter = getDirectParameters().values().iterator().next();
        return parameter.isInitialized() ? parameter.getArray().getDataType() : DataType.FLOAT32;
    }

    /**
     * Makes new scenes whose first steps are known, drawn before or chosen; the others are drawn
     * from their priors.
     *
     * @param parameterStore where the parameters' values are
     * @param scene the latents of the first n of T steps, (B, n, Zg), n at least 1
     * @param draws whether cells are drawn or the most probable; noise of the scene is that of the
     *     T - n steps that are drawn
     * @return the scenes, owned by the latents' manager
     * @throws IllegalArgumentException if an input has another shape or type
     */
    public GeneratedScenes generate(ParameterStore parameterStore, NDArray scene, GnmDraws draws) {
        inputs.scene(scene);
        requireType("scene", scene);
        long batch = scene.getShape().get(0);
        int left = sizes.latents().steps() - (int) scene.getShape().get(1);
        inputs.batch(batch);
        inputs.noise(draws.noise(), batch, left, scene);
        return kept(
                equations -> compute(parameterStore, scene, false, equations),
                pass -> {
                    SceneSteps steps =
                            layers.scene().draw(pass, batch, null, 0, scene, draws.noise().scene());
                    return layers.generate(pass, steps, draws.temperature(), draws.noise());
                },
                GeneratedScenes::arrays);
    }

    /**
     * Makes pictures again of their scene latent, whose first steps see the picture and whose
     * others are drawn from their priors: with all steps this shows what the scene latent knows,
     * with none it is {@link #generate}.
     *
     * @param parameterStore where the parameters' values are
     * @param images (B, C, S, S)
     * @param steps how many steps see the picture, from 0 to T
     * @param draws whether cells are drawn or the most probable; the scene latent always is drawn
     * @return the scenes, owned by the images' manager
     * @throws IllegalArgumentException if an input has another shape or type
     */
    public GeneratedScenes reconstruct(
            ParameterStore parameterStore, NDArray images, int steps, GnmDraws draws) {
        inputs.images(images);
        inputs.steps(steps);
        long batch = images.getShape().get(0);
        inputs.noise(draws.noise(), batch, sizes.latents().steps(), images);
        return kept(
                equations -> compute(parameterStore, images, false, equations),
                pass -> {
                    NDArray e = layers.encoder().apply(pass, images);
                    SceneSteps drawn =
                            layers.scene().draw(pass, batch, e, steps, null, draws.noise().scene());
                    return layers.generate(pass, drawn, draws.temperature(), draws.noise());
                },
                GeneratedScenes::arrays);
    }

    /** Computes a record whose arrays outlive the call, each of them once. */
    private static <T> T kept(
            Consumer<Function<Pass, NDList>> call,
            Function<Pass, T> equations,
            Function<T, NDList> arrays) {
        @SuppressWarnings("unchecked")
        T[] made = (T[]) new Object[1];
        call.accept(
                pass -> {
                    made[0] = equations.apply(pass);
                    Set<NDArray> once = Collections.newSetFromMap(new IdentityHashMap<>());
                    once.addAll(arrays.apply(made[0]));
                    return new NDList(once);
                });
        return made[0];
    }

    /** {@inheritDoc} */
    @Override
    protected NDList outputs(ParameterStore parameterStore, NDList list, boolean training) {
        NDList arrays = new NDList();
        GnmNoise noise = GnmNoise.among(list, arrays);
        NDArray images = arrays.isEmpty() ? null : arrays.head();
        NDArray x = Check.present(who(), GnmInputs.IMAGES, images);
        inputs.images(x);
        fetchAll(parameterStore, x, training);
        try (Scope scope = new Scope()) {
            NDList out;
            if (training) {
                GnmOutput made = step(parameterStore, x, setting, noise, true);
                made.loss().setName(GnmOutput.LOSS);
                out = new NDList(made.loss(), made.likelihood(), made.terms());
            } else {
                GnmDraws mode = GnmDraws.mode().with(noise);
                out = DiscoveredCells.of(explain(parameterStore, x, mode));
            }
            out.forEach(array -> scope.keep(array, x.getManager()));
            return out;
        }
    }

    /** {@inheritDoc} */
    @Override
    protected Shape[] outputShapes(Shape[] inputShapes) {
        Shape images = inputShapes[0];
        inputs.shape(images);
        return DiscoveredCells.shapes(images, sizes);
    }

    /** {@inheritDoc} */
    @Override
    protected Options configuration() {
        return Options.of("imageSize", sizes.picture().size())
                .and("cells", sizes.cells())
                .and("overlap", sizes.picture().overlap())
                .and("background", sizes.picture().background())
                .and("steps", sizes.latents().steps());
    }
}
