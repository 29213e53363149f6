package org.slotwise.examples.shared;

import ai.djl.modality.cv.ImageFactory;
import java.awt.Color;
import java.awt.GradientPaint;
import java.awt.Graphics2D;
import java.awt.Paint;
import java.awt.RadialGradientPaint;
import java.awt.RenderingHints;
import java.awt.Shape;
import java.awt.geom.AffineTransform;
import java.awt.geom.Area;
import java.awt.geom.Ellipse2D;
import java.awt.geom.Path2D;
import java.awt.geom.Rectangle2D;
import java.awt.geom.RoundRectangle2D;
import java.awt.image.BufferedImage;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * A drawn picture: a vase, a pear, an orange and a cup on a table before a wall, and as many others
 * of the same things as one likes.
 */
public final class StillLife {

    /** The size of the drawing. */
    public static final int WIDTH = 480;

    static final int HEIGHT = 320;

    private static final Color LIGHT = new Color(255, 255, 255, 90);
    private static final Color NO_LIGHT = new Color(255, 255, 255, 0);
    private static final Color SHADE = new Color(0, 0, 0, 60);
    private static final Color NO_SHADE = new Color(0, 0, 0, 0);

    private static final Surface WALL = new Surface(0xF5ECDD, 0xE6D8C3);
    private static final Surface TABLE = new Surface(0x5B4136, 0x49332B);
    private static final int TABLE_EDGE = 206;

    private final Surface wall;
    private final Surface table;
    private final int tableEdge;
    private final List<Thing> things;

    /** Something flat, its colours above and below. */
    private record Surface(int top, int bottom) {}

    /** Something that stands on the table, and the middle of its shadow, which is its foot. */
    private record Thing(
            String name, Shape outline, int color, double x, double foot, double radius) {

        Thing at(double newX, double newFoot, double scale, int newColor) {
            AffineTransform move = AffineTransform.getTranslateInstance(newX, newFoot);
            move.scale(scale, scale);
            move.translate(-x, -foot);
            return new Thing(
                    name,
                    move.createTransformedShape(outline),
                    newColor,
                    newX,
                    newFoot,
                    scale * radius);
        }
    }

    private StillLife(Surface wall, Surface table, int tableEdge, List<Thing> things) {
        this.wall = wall;
        this.table = table;
        this.tableEdge = tableEdge;
        this.things = things;
    }

    /**
     * Arranges a still life. It is the same every time.
     *
     * @param number 0 for a blue vase, a green pear, an orange and a pink cup; any other for three
     *     or four of them at other places, larger or smaller, in other colours
     * @return the still life
     */
    public static StillLife arranged(int number) {
        List<Thing> things =
                List.of(
                        new Thing("vase", vase(), 0x2F6FB7, 104, 262, 74),
                        new Thing("pear", pear(), 0x6FA53A, 208, 284, 66),
                        new Thing("orange", orange(), 0xF08A1D, 308, 274, 66),
                        new Thing("cup", cup(), 0xCF4F86, 408, 258, 66));
        return number == 0
                ? new StillLife(WALL, TABLE, TABLE_EDGE, things)
                : another(things, new Random(number * 7919L));
    }

    private static StillLife another(List<Thing> all, Random random) {
        List<Double> places = new ArrayList<>(all.stream().map(Thing::x).toList());
        Collections.shuffle(places, random);
        int count = all.size() - random.nextInt(2);
        double hue = random.nextDouble();
        List<Thing> things = new ArrayList<>(all);
        Collections.shuffle(things, random);
        for (int i = 0; i < all.size(); i++) {
            things.set(
                    i,
                    things.get(i)
                            .at(
                                    places.get(i) + between(random, -15, 15),
                                    between(random, 244, 296),
                                    between(random, 0.75, 1.05),
                                    color(
                                            hue + (i + between(random, -0.2, 0.2)) / all.size(),
                                            between(random, 0.6, 0.85),
                                            between(random, 0.6, 0.95))));
        }
        return new StillLife(
                surface(random, between(random, 0.05, 0.25), between(random, 0.8, 0.97)),
                surface(random, between(random, 0.15, 0.5), between(random, 0.22, 0.45)),
                (int) between(random, 175, 220),
                things.subList(0, count).stream()
                        .sorted(Comparator.comparingDouble(Thing::foot))
                        .toList());
    }

    private static double between(Random random, double least, double most) {
        return least + (most - least) * random.nextDouble();
    }

    private static int color(double hue, double saturation, double brightness) {
        return Color.HSBtoRGB((float) hue, (float) saturation, (float) brightness) & 0xFFFFFF;
    }

    private static Surface surface(Random random, double saturation, double brightness) {
        double hue = random.nextDouble();
        return new Surface(
                color(hue, saturation, brightness), color(hue, saturation, 0.88 * brightness));
    }

    /**
     * Draws the picture.
     *
     * @return the picture
     */
    public Picture draw() {
        BufferedImage image = new BufferedImage(WIDTH, HEIGHT, BufferedImage.TYPE_INT_RGB);
        Graphics2D g = image.createGraphics();
        g.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
        g.setRenderingHint(RenderingHints.KEY_STROKE_CONTROL, RenderingHints.VALUE_STROKE_PURE);
        Map<String, Shape> shapes = shapes();
        fill(g, shapes.get("wall"), wall);
        fill(g, shapes.get("table"), table);
        for (Thing thing : things) {
            shadow(g, (float) thing.x(), (float) thing.foot(), (float) thing.radius());
        }
        for (Thing thing : things) {
            solid(g, thing.outline(), thing.color());
        }
        g.dispose();
        return new Picture(ImageFactory.getInstance().fromImage(image), WIDTH, HEIGHT);
    }

    /**
     * What is in the picture, from back to front: the wall, the table, and what stands on it.
     *
     * @return outlines by name; later ones hide earlier ones
     */
    public Map<String, Shape> shapes() {
        Map<String, Shape> shapes = new LinkedHashMap<>();
        shapes.put("wall", new Rectangle2D.Double(0, 0, WIDTH, tableEdge));
        shapes.put("table", new Rectangle2D.Double(0, tableEdge, WIDTH, HEIGHT - tableEdge));
        things.forEach(thing -> shapes.put(thing.name(), thing.outline()));
        return shapes;
    }

    /**
     * What is seen in the middle of each cell of a grid.
     *
     * @param grid how many cells lie in a row, and in a column
     * @return (grid * grid), row by row: which of {@link #shapes} it is, from 0
     */
    public int[] labels(int grid) {
        List<Shape> shapes = List.copyOf(shapes().values());
        int[] labels = new int[grid * grid];
        for (int cell = 0; cell < labels.length; cell++) {
            double x = (cell % grid + 0.5) * WIDTH / grid;
            double y = (cell / grid + 0.5) * HEIGHT / grid;
            int front = shapes.size() - 1;
            while (front > 0 && !shapes.get(front).contains(x, y)) {
                front--;
            }
            labels[cell] = front;
        }
        return labels;
    }

    private static Shape orange() {
        return new Ellipse2D.Double(258, 182, 96, 94);
    }

    private static Shape vase() {
        Path2D half = new Path2D.Double();
        half.moveTo(82, 62);
        half.lineTo(122, 62);
        half.curveTo(118, 84, 116, 96, 120, 110);
        half.curveTo(154, 134, 162, 186, 138, 230);
        half.curveTo(132, 242, 130, 250, 132, 260);
        half.quadTo(102, 268, 72, 260);
        half.curveTo(74, 250, 72, 242, 66, 230);
        half.curveTo(42, 186, 50, 134, 84, 110);
        half.curveTo(88, 96, 86, 84, 82, 62);
        half.closePath();
        return half;
    }

    private static Shape pear() {
        Path2D pear = new Path2D.Double();
        pear.moveTo(206, 162);
        pear.curveTo(226, 160, 228, 186, 232, 204);
        pear.curveTo(246, 216, 256, 234, 254, 252);
        pear.curveTo(250, 280, 228, 288, 206, 288);
        pear.curveTo(184, 288, 162, 280, 158, 252);
        pear.curveTo(156, 234, 166, 216, 180, 204);
        pear.curveTo(184, 186, 186, 160, 206, 162);
        pear.closePath();
        return pear;
    }

    private static Shape cup() {
        Area cup = new Area(new RoundRectangle2D.Double(366, 170, 78, 90, 26, 26));
        Area handle = new Area(new Ellipse2D.Double(424, 182, 44, 54));
        handle.subtract(new Area(new Ellipse2D.Double(436, 194, 20, 30)));
        cup.add(handle);
        cup.add(new Area(new Rectangle2D.Double(366, 170, 78, 30)));
        return cup;
    }

    private static void fill(Graphics2D g, Shape shape, Surface surface) {
        Rectangle2D box = shape.getBounds2D();
        Paint paint =
                new GradientPaint(
                        0,
                        (float) box.getMinY(),
                        new Color(surface.top()),
                        0,
                        (float) box.getMaxY(),
                        new Color(surface.bottom()));
        g.setPaint(paint);
        g.fill(shape);
    }

    /** Light comes from the upper left. */
    private static void solid(Graphics2D g, Shape shape, int color) {
        Rectangle2D box = shape.getBounds2D();
        float x = (float) (box.getX() + 0.36 * box.getWidth());
        float y = (float) (box.getY() + 0.34 * box.getHeight());
        float size = (float) Math.max(box.getWidth(), box.getHeight());
        g.setColor(new Color(color));
        g.fill(shape);
        radial(g, shape, x, y, 0.95f * size, new float[] {0.3f, 1}, NO_SHADE, SHADE);
        radial(g, shape, x, y, 0.34f * size, new float[] {0, 1}, LIGHT, NO_LIGHT);
    }

    private static void shadow(Graphics2D g, float x, float y, float radius) {
        Shape shape = new Ellipse2D.Double(x - radius, y - 0.2 * radius, 2 * radius, 0.4 * radius);
        Graphics2D flat = (Graphics2D) g.create();
        flat.translate(x, y);
        flat.scale(1, 0.2);
        Shape round = new Ellipse2D.Double(-radius, -radius, 2 * radius, 2 * radius);
        radial(flat, round, 0, 0, radius, new float[] {0.4f, 1}, new Color(0, 0, 0, 90), NO_SHADE);
        flat.dispose();
    }

    private static void radial(
            Graphics2D g,
            Shape shape,
            float x,
            float y,
            float radius,
            float[] at,
            Color from,
            Color to) {
        g.setPaint(new RadialGradientPaint(x, y, radius, at, new Color[] {from, to}));
        g.fill(shape);
    }
}
