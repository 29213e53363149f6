package org.slotwise.examples.edit;

import ai.djl.Model;
import ai.djl.engine.Engine;
import ai.djl.metric.Metrics;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.EasyTrain;
import ai.djl.training.Trainer;
import ai.djl.training.dataset.Batch;
import ai.djl.training.listener.EvaluatorTrainingListener;
import ai.djl.training.loss.IndexLoss;
import ai.djl.training.loss.SimpleCompositeLoss;
import ai.djl.translate.Batchifier;
import ai.djl.translate.TranslateException;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Random;
import org.slotwise.decoder.PixelLattice;
import org.slotwise.loss.ReconstructionLoss;
import org.slotwise.loss.UniformPriorLoss;
import org.slotwise.quantization.AnnealedTemperature;
import org.slotwise.training.Adam;
import org.slotwise.training.DivergenceCheck;
import org.slotwise.training.GradientClipping;
import org.slotwise.training.LearningRate;
import org.slotwise.training.StepRandom;

/**
 * Trains the codec of a {@link DiscreteModel}: the mean squared error of samples of codes, whose
 * temperature falls, and the divergence from a uniform prior.
 *
 * @param steps how many
 * @param reportEvery after how many steps progress is told
 * @param peak the highest learning rate
 * @param latents how many latents a slot has
 * @param codes how many codes a latent has
 * @param beta the weight of the uniform prior
 * @param seed what weights, scenes and all other random choices start from
 */
record DiscreteTraining(
        int steps, int reportEvery, double peak, int latents, int codes, double beta, int seed) {

    private static final int BATCH = 32;
    private static final int WARM_UP = 200;
    private static final double FLOOR = 0.01;
    private static final double LARGEST_NORM = 1;
    private static final double WARM = 2;
    private static final double COOL = 0.5;
    private static final int VALIDATION_SCENES = 320;
    private static final long VALIDATION_SEED = 987_654_321;

    /** So many scenes are described once, and seen again and again. */
    private static final long MOST_SCENES = 8192;

    /** Between the seeds of training scenes and of any others lies more than one can choose. */
    private static final long FIRST_DATA_SEED = 1L << 41;

    /** Codes are nearly mixed at first, and nearly one at the end. */
    private AnnealedTemperature temperature() {
        return new AnnealedTemperature(WARM, COOL, Math.max(1, steps * 4L / 5));
    }

    /** Linear warm-up, and half a cosine over all steps. */
    private LearningRate learningRate() {
        return LearningRate.cosineDecay(peak, Math.min(WARM_UP, steps / 2), steps, FLOOR * peak);
    }

    /**
     * Trains.
     *
     * @param manager the owner of the model
     * @param out where progress is told
     * @param output where the model goes
     * @throws IOException if the model that it starts from cannot be read, or the model cannot be
     *     written
     * @throws TranslateException never, as scenes are generated
     */
    void run(NDManager manager, PrintWriter out, Path output)
            throws IOException, TranslateException {
        StepRandom random = new StepRandom(seed);
        random.seedEngine(Engine.getInstance(), 0);
        DiscreteModel model = DiscreteModel.fresh(manager, latents, codes);
        out.printf(
                Locale.ROOT,
                "%d steps of %d scenes, %d latents of %d codes, beta %s, learning rate %s, seed"
                        + " %d%n",
                steps,
                BATCH,
                latents,
                codes,
                beta,
                peak,
                seed);
        out.flush();
        long count = Math.min(MOST_SCENES, (long) steps * BATCH);
        DescribedScenes scenes =
                DescribedScenes.of(
                        manager, model, DiscreteModel.TASK.scenes(FIRST_DATA_SEED + seed, count));
        model.codec().measure(scenes.slots());
        SimpleCompositeLoss loss =
                new SimpleCompositeLoss()
                        .addLoss(new IndexLoss(new ReconstructionLoss(), 0))
                        .addLoss(
                                new IndexLoss(
                                        new UniformPriorLoss("prior", beta), SlotCodec.LOGITS, 0));
        GradientClipping clipping = new GradientClipping(LARGEST_NORM);
        try (Adam adam = Adam.builder().optLearningRate(learningRate()).build();
                Model trained = Model.newInstance("codec")) {
            trained.setBlock(model.codec());
            try (Trainer trainer =
                    trained.newTrainer(
                            new DefaultTrainingConfig(loss)
                                    .optOptimizer(adam)
                                    .addTrainingListeners(
                                            new EvaluatorTrainingListener(),
                                            clipping,
                                            DivergenceCheck.builder(clipping).build()))) {
                long start = System.nanoTime();
                for (int step = 1; step <= steps; step++) {
                    step(trainer, model, scenes, random, step);
                    if (step % reportEvery == 0 || step == steps) {
                        double seconds = (System.nanoTime() - start) / 1e9;
                        out.printf(
                                Locale.ROOT,
                                "step %5d  temperature %.2f  %s  %4.0f s, %.0f s left%n",
                                step,
                                model.quantizer().temperature(),
                                DiscreteScores.discrete(model, VALIDATION_SEED, VALIDATION_SCENES),
                                seconds,
                                seconds / step * (steps - step));
                        out.flush();
                    }
                }
            }
            model.write(output);
        }
    }

    private void step(
            Trainer trainer,
            DiscreteModel model,
            DescribedScenes scenes,
            StepRandom random,
            int step) {
        // A trainer's metrics grow with every step.
        trainer.setMetrics(new Metrics());
        random.seedEngine(Engine.getInstance(), step);
        model.quantizer().setTemperature(temperature().at(step));
        Random draws = random.at(step);
        try (NDManager manager = trainer.getManager().newSubManager()) {
            DescribedScenes some =
                    scenes.some(manager, draws.longs(BATCH, 0, scenes.size()).toArray());
            int stride = DiscreteModel.TASK.recipe().decodeStride();
            PixelLattice lattice =
                    new PixelLattice(stride, draws.nextInt(stride), draws.nextInt(stride));
            EasyTrain.trainBatch(
                    trainer,
                    new Batch(
                            manager,
                            new NDList(
                                    some.slots(),
                                    some.positions(),
                                    SlotCodec.pixels(manager, lattice)),
                            new NDList(lattice.of(some.images())),
                            BATCH,
                            Batchifier.STACK,
                            Batchifier.STACK,
                            step,
                            steps));
        }
        trainer.step();
    }
}
