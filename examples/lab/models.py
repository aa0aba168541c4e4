"""What the lab stores."""

from sqlalchemy import Column, Float, ForeignKey, Integer, String, UniqueConstraint
from sqlalchemy.orm import declarative_base, relationship

Base = declarative_base()


class Series(Base):
    """Experiments of one kind: how many darts each of them throws."""

    __tablename__ = "series"

    id = Column(Integer, primary_key=True)
    name = Column(String, nullable=False, unique=True)
    darts = Column(Integer, nullable=False)
    runs = relationship("Run", back_populates="series", order_by="Run.seed")


class Run(Base):
    """One experiment: what it is drawn from, and what came out; nothing as long as it was not carried out."""

    __tablename__ = "run"
    __table_args__ = (UniqueConstraint("series_id", "seed"),)

    id = Column(Integer, primary_key=True)
    series_id = Column(ForeignKey("series.id"), nullable=False)
    seed = Column(Integer, nullable=False)
    result = Column(Float)
    series = relationship(Series, back_populates="runs")
